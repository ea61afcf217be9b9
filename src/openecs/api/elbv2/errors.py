"""Every error of Elastic Load Balancing's, with AWS's code and words.

Elastic Load Balancing API Reference 2015-12-01, the errors of each action.
"""

from __future__ import annotations

from collections.abc import Iterable

from openecs.api.base import ServiceError


def validation(message: str) -> ServiceError:
    """``ValidationError``: a value that may not be."""
    return ServiceError("ValidationError", message)


def invalid_configuration(message: str) -> ServiceError:
    """``InvalidConfigurationRequest``: values that do not go together."""
    return ServiceError("InvalidConfigurationRequest", message)


def not_permitted(message: str) -> ServiceError:
    """``OperationNotPermitted``."""
    return ServiceError("OperationNotPermitted", message)


def invalid_action(message: str) -> ServiceError:
    """``InvalidLoadBalancerAction``: an action that cannot be carried out."""
    return ServiceError("InvalidLoadBalancerAction", message)


def not_built(what: str) -> ServiceError:
    """What AWS has and OpenECS has not: refused by name."""
    return invalid_configuration(f"OpenECS does not build {what}.")


def load_balancer_not_found() -> ServiceError:
    """There is no load balancer of that ARN or name."""
    return ServiceError("LoadBalancerNotFound", "One or more load balancers not found")


def listener_not_found() -> ServiceError:
    """There is no listener of that ARN."""
    return ServiceError("ListenerNotFound", "One or more listeners not found")


def rule_not_found() -> ServiceError:
    """There is no rule of that ARN."""
    return ServiceError("RuleNotFound", "One or more rules not found")


def target_group_not_found() -> ServiceError:
    """There is no target group of that ARN or name."""
    return ServiceError("TargetGroupNotFound", "One or more target groups not found")


def forwarded_group_not_found(arn: str) -> ServiceError:
    """An action forwards to a target group that is not there."""
    return ServiceError("TargetGroupNotFound", f"Target group '{arn}' not found")


def trust_store_not_found() -> ServiceError:
    """There is no trust store of that ARN or name."""
    return ServiceError("TrustStoreNotFound", "One or more trust stores not found")


def duplicate_trust_store(name: str) -> ServiceError:
    """There is a trust store of that name."""
    message = f"A trust store with the same name '{name}' exists"
    return ServiceError("DuplicateTrustStoreName", message)


def trust_store_in_use(arn: str) -> ServiceError:
    """A listener verifies clients by the trust store that was to be deleted."""
    return ServiceError("TrustStoreInUse", f"Trust store '{arn}' is currently in use by a listener")


def bundle_not_found(place: str) -> ServiceError:
    """There is no object that would be a bundle of certificates."""
    message = f"The CA certificates bundle '{place}' does not exist"
    return ServiceError("CaCertificatesBundleNotFound", message)


def invalid_bundle(message: str) -> ServiceError:
    """``InvalidCaCertificatesBundle``: the object is there and will not do."""
    return ServiceError("InvalidCaCertificatesBundle", message)


def revocation_content_not_found(place: str) -> ServiceError:
    """There is no object that would be a revocation file."""
    message = f"The revocation file '{place}' does not exist"
    return ServiceError("RevocationContentNotFound", message)


def invalid_revocation_content() -> ServiceError:
    """The object is there and is no revocation file."""
    message = "The revocation file has no lists that authorities of the trust store have signed"
    return ServiceError("InvalidRevocationContent", message)


def revocation_not_found() -> ServiceError:
    """There is no revocation file of that id."""
    return ServiceError("RevocationIdNotFound", "One or more revocation IDs not found")


def subnet_not_found(subnet: str) -> ServiceError:
    """There is no subnet of that id."""
    return ServiceError("SubnetNotFound", f"The subnet ID '{subnet}' does not exist")


def invalid_subnet(message: str) -> ServiceError:
    """``InvalidSubnet``: the subnet is there and will not do."""
    return ServiceError("InvalidSubnet", message)


def certificate_not_found(arn: str) -> ServiceError:
    """There is no certificate of that ARN."""
    return ServiceError("CertificateNotFound", f"Certificate '{arn}' not found")


def ssl_policy_not_found(name: str) -> ServiceError:
    """There is no security policy of that name."""
    return ServiceError("SSLPolicyNotFound", f"SSL policy '{name}' not found")


def duplicate_load_balancer(name: str) -> ServiceError:
    """There is a load balancer of that name which is another."""
    message = f"A load balancer with the same name '{name}' exists, but with different settings"
    return ServiceError("DuplicateLoadBalancerName", message)


def duplicate_target_group(name: str) -> ServiceError:
    """There is a target group of that name which is another."""
    message = f"A target group with the same name '{name}' exists, but with different settings"
    return ServiceError("DuplicateTargetGroupName", message)


def duplicate_listener() -> ServiceError:
    """Another listener has the port."""
    message = "A listener already exists on this port for this load balancer"
    return ServiceError("DuplicateListener", message)


def duplicate_tag_keys() -> ServiceError:
    """A request has a tag key twice."""
    return ServiceError("DuplicateTagKeys", "Tag keys must be unique")


def priority_in_use(priority: int) -> ServiceError:
    """Another rule of the listener has the priority."""
    return ServiceError("PriorityInUse", f"Priority '{priority}' is currently in use")


def in_use(arn: str) -> ServiceError:
    """A listener or a rule forwards to the target group that was to be deleted."""
    message = f"Target group '{arn}' is currently in use by a listener or a rule"
    return ServiceError("ResourceInUse", message)


def balancer_in_use(arn: str) -> ServiceError:
    """The load balancer that was to be deleted is a target."""
    return ServiceError(
        "ResourceInUse",
        f"Load balancer '{arn}' cannot be deleted because it is currently associated with another "
        "service",
    )


def association_limit(arns: Iterable[str]) -> ServiceError:
    """Target groups serve one load balancer each."""
    listed = ", ".join(sorted(arns))
    return ServiceError(
        "TargetGroupAssociationLimit",
        "The following target groups cannot be associated with more than one load balancer: "
        f"{listed}",
    )


def incompatible_protocols(listener: str, group: str) -> ServiceError:
    """A listener does not speak the protocol of the group it is to forward to."""
    message = (
        f"Listener protocol '{listener}' is not supported with a target group with the protocol "
        f"'{group}'"
    )
    return ServiceError("IncompatibleProtocols", message)


def invalid_target(message: str) -> ServiceError:
    """``InvalidTarget``: it cannot be registered, or is not."""
    return ServiceError("InvalidTarget", message)


def too_many(what: str, message: str) -> ServiceError:
    """A quota is used up: ``TooManyRules`` and the like."""
    return ServiceError(f"TooMany{what}", message)
