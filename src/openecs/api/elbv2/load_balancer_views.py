"""How AWS shows a load balancer."""

from __future__ import annotations

from openecs.api.base import Members
from openecs.model.load_balancing import (
    LoadBalancer,
    LoadBalancerStateCode,
    LoadBalancerType,
    SubnetMapping,
)
from openecs.store.base import View
from openecs.store.kinds import LOAD_BALANCER_STATES

#: Route 53 hosted zones of application and network load balancers.
#: AWS General Reference, "Elastic Load Balancing endpoints and quotas".
_HOSTED_ZONES = {
    "ap-northeast-1": ("Z14GRHDCWA56QT", "Z31USIVHYNEOWT"),
    "ap-northeast-2": ("ZWKZPGTI48KDX", "ZIBE1TIR4HY56"),
    "ap-south-1": ("ZP97RAFLXTNZK", "ZVDDRBQ08TROA"),
    "ap-southeast-1": ("Z1LMS91P8CMLE5", "ZKVM4W9LS7TM"),
    "ap-southeast-2": ("Z1GM3OXH4ZPM65", "ZCT6FZBF4DROD"),
    "ca-central-1": ("ZQSVJUPU6J1EY", "Z2EPGBW3API2WT"),
    "eu-central-1": ("Z215JYRZR1TBD5", "Z3F0SRJ5LGBH90"),
    "eu-north-1": ("Z23TAZ6LKFMNIO", "Z1UDT6IFJ4EJM"),
    "eu-west-1": ("Z32O12XQLNTSW2", "Z2IFOLAFXWLO4F"),
    "eu-west-2": ("ZHURV8PSTC4K8", "ZD4D7Y8KGAS4G"),
    "eu-west-3": ("Z3Q77PNBQS71R4", "Z1CMS0P5QUZ6D5"),
    "sa-east-1": ("Z2P70J7HTTTPLU", "ZTK26PT1VY4CU"),
    "us-east-1": ("Z35SXDOTRQ7X7K", "Z26RNL4JYFTOTI"),
    "us-east-2": ("Z3AADJGX6KTTL2", "ZLMOA37VPKANP"),
    "us-west-1": ("Z368ELLRRE2KJ0", "Z24FKFUX50B4VW"),
    "us-west-2": ("Z1H1FL5HABSF5", "Z18D5FSROUN65G"),
}


def load_balancer(view: View, balancer: LoadBalancer) -> Members:
    """A load balancer, in the state its data plane has last said."""
    return {
        "LoadBalancerArn": balancer.arn,
        "DNSName": balancer.dns_name,
        "CanonicalHostedZoneId": _hosted_zone(balancer),
        "CreatedTime": balancer.created_at,
        "LoadBalancerName": balancer.name,
        "Scheme": balancer.scheme,
        "VpcId": balancer.vpc_id,
        "State": _state(view, balancer),
        "Type": balancer.type,
        "AvailabilityZones": zones(balancer),
        "SecurityGroups": list(balancer.security_groups) or None,
        "IpAddressType": balancer.ip_address_type,
        "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": private_link_rules(balancer),
    }


def zones(balancer: LoadBalancer) -> list[Members]:
    """Its subnets and the zones they are in."""
    return [
        {
            "ZoneName": each.availability_zone,
            "SubnetId": each.subnet_id,
            "LoadBalancerAddresses": _addresses(each),
        }
        for each in balancer.subnets
    ]


def private_link_rules(balancer: LoadBalancer) -> str | None:
    """What network load balancers with security groups say of AWS PrivateLink; there is none."""
    guarded = balancer.type is LoadBalancerType.NETWORK and balancer.security_groups
    return "on" if guarded else None


def _hosted_zone(balancer: LoadBalancer) -> str | None:
    application, network = _HOSTED_ZONES.get(balancer.scope.region, (None, None))
    return network if balancer.type is LoadBalancerType.NETWORK else application


def _state(view: View, balancer: LoadBalancer) -> Members:
    said = view.get(LOAD_BALANCER_STATES, balancer.scope, balancer.path)
    if said is None:
        return {"Code": LoadBalancerStateCode.PROVISIONING}
    return {"Code": said.code, "Reason": said.reason}


def _addresses(mapping: SubnetMapping) -> list[Members]:
    address = mapping.private_ipv4_address
    return [] if address is None else [{"PrivateIPv4Address": address}]
