"""Listeners that speak TLS: certificates by name, security policies, what stands in subnets."""

import socket
import ssl

import pytest

from balanced import Balanced
from made_certificates import make, revoking
from openecs_server import eventually, free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]


@pytest.fixture
def balanced(services):
    balanced = Balanced(services)
    yield balanced
    balanced.close()


def handshake(port: int, name: str, newest: ssl.TLSVersion | None = None) -> tuple[str, str] | None:
    """The common name shown to who asks for ``name``, and the version; None: refused."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if newest is not None:
        context.maximum_version = newest
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            shown = ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")
            return shown, secure.version() or ""
    except (ssl.SSLError, OSError):
        return None


@pytest.mark.covers(
    "elbv2:AddListenerCertificates",
    "elbv2:DescribeListenerCertificates",
    "elbv2:RemoveListenerCertificates",
)
def test_certificates_by_name_and_versions_by_policy(balanced):
    server, elb, port = balanced.services.server, balanced.elb, free_port()
    acm = server.client("acm")
    arns = [
        acm.request_certificate(DomainName=name)["CertificateArn"]
        for name in ("one.test", "two.test")
    ]
    pems = [acm.get_certificate(CertificateArn=arn)["Certificate"].strip() for arn in arns]
    listener = elb.create_listener(
        LoadBalancerArn=balanced.arn,
        Protocol="HTTPS",
        Port=port,
        SslPolicy="ELBSecurityPolicy-TLS13-1-3-2021-06",
        Certificates=[{"CertificateArn": arns[0]}],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": balanced.group}],
    )["Listeners"][0]["ListenerArn"]
    shown = eventually(lambda: handshake(port, "two.test"))
    assert (shown[0].strip(), shown[1]) == (pems[0], "TLSv1.3")
    assert handshake(port, "one.test", newest=ssl.TLSVersion.TLSv1_2) is None

    other = [{"CertificateArn": arns[1]}]
    elb.add_listener_certificates(ListenerArn=listener, Certificates=other)
    listed = elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert listed == [
        {"CertificateArn": arns[0], "IsDefault": True},
        {"CertificateArn": arns[1], "IsDefault": False},
    ]
    eventually(lambda: handshake(port, "two.test")[0].strip() == pems[1])
    assert handshake(port, "one.test")[0].strip() == pems[0]

    policy = "ELBSecurityPolicy-TLS-1-2-2017-01"
    elb.modify_listener(ListenerArn=listener, SslPolicy=policy)
    eventually(lambda: (handshake(port, "two.test") or ("", ""))[1] == "TLSv1.2")
    elb.remove_listener_certificates(ListenerArn=listener, Certificates=other)
    eventually(lambda: (handshake(port, "two.test") or ("",))[0].strip() == pems[0])
    with pytest.raises(elb.exceptions.OperationNotPermittedException):
        elb.remove_listener_certificates(
            ListenerArn=listener, Certificates=[{"CertificateArn": arns[0]}]
        )


@pytest.mark.covers("ec2:DeleteSubnet", "ec2:DeleteSecurityGroup")
def test_where_a_load_balancer_stands_stays(balanced):
    ec2 = balanced.services.server.client("ec2")
    group = balanced.balancer["SecurityGroups"][0]
    subnet = balanced.balancer["AvailabilityZones"][0]["SubnetId"]
    with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=subnet)
    vpc = balanced.balancer["VpcId"]
    made = ec2.create_security_group(GroupName=balanced.name, Description="x", VpcId=vpc)
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[made["GroupId"]])
    with pytest.raises(ec2.exceptions.ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=made["GroupId"])
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[group])
    ec2.delete_security_group(GroupId=made["GroupId"])


def ask(port: int, made=None, directory=None) -> bytes:
    """What a client with a certificate is answered; nothing: it is refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if made is not None:
        file = directory / "client.pem"
        file.write_text(made.key_pem + made.pem)
        context.load_cert_chain(file)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
            context.wrap_socket(plain) as secure,
        ):
            secure.sendall(b"GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n")
            return secure.recv(4096)
    except OSError:
        return b""


@pytest.mark.covers(
    "elbv2:CreateTrustStore",
    "elbv2:AddTrustStoreRevocations",
    "elbv2:DescribeTrustStoreAssociations",
    "elbv2:DeleteTrustStore",
)
def test_clients_show_certificates(balanced, tmp_path):
    server, elb, port = balanced.services.server, balanced.elb, free_port()
    root = make("root", ca=True)
    welcome, gone = make("welcome", by=root), make("gone", by=root)
    bucket = server.data_dir / "objects" / balanced.name
    bucket.mkdir(parents=True)
    (bucket / "ca.pem").write_text(root.pem)
    (bucket / "gone.crl").write_bytes(revoking(root, gone))
    acm = server.client("acm")
    shown = acm.request_certificate(DomainName="a.test")["CertificateArn"]
    bundle = {"CaCertificatesBundleS3Bucket": balanced.name, "CaCertificatesBundleS3Key": "ca.pem"}
    (store,) = elb.create_trust_store(Name=balanced.name, **bundle)["TrustStores"]
    arn = store["TrustStoreArn"]
    answer = {"StatusCode": "200", "MessageBody": "come in", "ContentType": "text/plain"}
    listener = elb.create_listener(
        LoadBalancerArn=balanced.arn,
        Protocol="HTTPS",
        Port=port,
        Certificates=[{"CertificateArn": shown}],
        MutualAuthentication={"Mode": "verify", "TrustStoreArn": arn},
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )["Listeners"][0]["ListenerArn"]
    for client in (welcome, gone):
        eventually(lambda client=client: ask(port, client, tmp_path).endswith(b"come in"))
    for client in (None, make("stranger")):
        assert ask(port, client, tmp_path) == b""
    contents = [{"S3Bucket": balanced.name, "S3Key": "gone.crl"}]
    elb.add_trust_store_revocations(TrustStoreArn=arn, RevocationContents=contents)
    eventually(lambda: ask(port, gone, tmp_path) == b"")
    assert ask(port, welcome, tmp_path).endswith(b"come in")
    found = elb.describe_trust_store_associations(TrustStoreArn=arn)["TrustStoreAssociations"]
    assert found == [{"ResourceArn": balanced.arn}]
    with pytest.raises(elb.exceptions.TrustStoreInUseException):
        elb.delete_trust_store(TrustStoreArn=arn)
    elb.delete_listener(ListenerArn=listener)
    elb.delete_trust_store(TrustStoreArn=arn)
