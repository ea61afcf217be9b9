"""AWS's own managed policies, written from what AWS documents of their effect.

AWS Managed Policy Reference Guide. Only services that are here are named.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b32encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from openecs.model.iam import AWS, ManagedPolicy, PolicyVersion
from openecs.model.identity import Scope

_SINCE = datetime(2015, 2, 6, 18, 40, tzinfo=UTC)

_READ_LOGS = (
    "logs:Describe*",
    "logs:Get*",
    "logs:List*",
    "logs:StartQuery",
    "logs:StopQuery",
    "logs:TestMetricFilter",
    "logs:FilterLogEvents",
    "logs:StartLiveTail",
    "logs:StopLiveTail",
)
_PULL = (
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
)
_READ_REGISTRY = (
    *_PULL,
    "ecr:GetRepositoryPolicy",
    "ecr:DescribeRepositories",
    "ecr:ListImages",
    "ecr:DescribeImages",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:ListTagsForResource",
    "ecr:DescribeImageScanFindings",
)
_PUSH = (
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
)
_READ_SERVICES = (
    "acm:Describe*",
    "acm:Get*",
    "acm:List*",
    "application-autoscaling:Describe*",
    "application-autoscaling:ListTagsForResource",
    "autoscaling:Describe*",
    "cloudwatch:Describe*",
    "cloudwatch:Get*",
    "cloudwatch:List*",
    "ec2:Describe*",
    "ec2:Get*",
    "ecr:BatchCheck*",
    "ecr:BatchGet*",
    "ecr:Describe*",
    "ecr:Get*",
    "ecr:List*",
    "ecs:Describe*",
    "ecs:List*",
    "elasticloadbalancing:Describe*",
    "events:Describe*",
    "events:List*",
    "iam:Generate*",
    "iam:Get*",
    "iam:List*",
    "iam:Simulate*",
    "scheduler:Get*",
    "scheduler:List*",
    "secretsmanager:Describe*",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:List*",
    "servicediscovery:Get*",
    "servicediscovery:List*",
    "ssm:Describe*",
    "ssm:Get*",
    "ssm:List*",
    "sts:GetAccessKeyInfo",
    "sts:GetCallerIdentity",
    "sts:GetSessionToken",
    *_READ_LOGS,
)
_BALANCE = (
    "elasticloadbalancing:Describe*",
    "elasticloadbalancing:RegisterTargets",
    "elasticloadbalancing:DeregisterTargets",
)


def _allow(actions: Iterable[str], resource: str = "*", **condition: Any) -> Mapping[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def _pass_role(*services: str) -> Mapping[str, Any]:
    return _allow(["iam:PassRole"], StringLike={"iam:PassedToService": list(services)})


def _linked_role(*services: str) -> Mapping[str, Any]:
    return _allow(
        ["iam:CreateServiceLinkedRole"], StringLike={"iam:AWSServiceName": list(services)}
    )


_EVERYTHING_BUT_PEOPLE = {
    "Effect": "Allow",
    "NotAction": ["iam:*", "organizations:*", "account:*"],
    "Resource": "*",
}

#: Paths and names to statements.
_STATEMENTS: Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]] = {
    ("/", "AdministratorAccess"): (_allow(["*"]),),
    ("/", "PowerUserAccess"): (
        _EVERYTHING_BUT_PEOPLE,
        _allow(
            ["iam:CreateServiceLinkedRole", "iam:DeleteServiceLinkedRole", "iam:ListRoles"],
        ),
    ),
    ("/", "ReadOnlyAccess"): (_allow(_READ_SERVICES),),
    ("/", "IAMFullAccess"): (_allow(["iam:*"]),),
    ("/", "IAMReadOnlyAccess"): (
        _allow(["iam:GenerateCredentialReport", "iam:Get*", "iam:List*", "iam:Simulate*"]),
    ),
    ("/", "AmazonECS_FullAccess"): (
        _allow(
            [
                "application-autoscaling:*",
                "autoscaling:*",
                "cloudwatch:*Alarm*",
                "cloudwatch:GetMetricStatistics",
                "ec2:*SecurityGroup*",
                "ec2:*Vpc*",
                "ec2:*Subnet*",
                "ec2:*Route*",
                "ec2:*InternetGateway*",
                "ec2:Describe*",
                "ecs:*",
                "elasticloadbalancing:*",
                "events:*",
                "iam:List*",
                "logs:CreateLogGroup",
                "logs:DescribeLogGroups",
                "logs:FilterLogEvents",
                "servicediscovery:*",
            ]
        ),
        _allow(
            ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"],
            "arn:aws:ssm:*:*:parameter/aws/service/ecs*",
        ),
        _pass_role(
            "ecs-tasks.amazonaws.com",
            "ec2.amazonaws.com",
            "application-autoscaling.amazonaws.com",
        ),
        _linked_role(
            "ecs.amazonaws.com",
            "autoscaling.amazonaws.com",
            "ecs.application-autoscaling.amazonaws.com",
            "elasticloadbalancing.amazonaws.com",
        ),
    ),
    ("/service-role/", "AmazonECSTaskExecutionRolePolicy"): (
        _allow([*_PULL, "logs:CreateLogStream", "logs:PutLogEvents"]),
    ),
    ("/service-role/", "AmazonEC2ContainerServiceforEC2Role"): (
        _allow(
            [
                "ec2:DescribeTags",
                "ecs:CreateCluster",
                "ecs:DeregisterContainerInstance",
                "ecs:DiscoverPollEndpoint",
                "ecs:Poll",
                "ecs:RegisterContainerInstance",
                "ecs:StartTelemetrySession",
                "ecs:UpdateContainerInstancesState",
                "ecs:Submit*",
                *_PULL,
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ]
        ),
        _allow(
            ["ecs:TagResource"],
            StringEquals={"ecs:CreateAction": ["CreateCluster", "RegisterContainerInstance"]},
        ),
    ),
    ("/service-role/", "AmazonEC2ContainerServiceRole"): (
        _allow(["ec2:AuthorizeSecurityGroupIngress", "ec2:Describe*", *_BALANCE]),
    ),
    ("/service-role/", "AmazonEC2ContainerServiceAutoscaleRole"): (
        _allow(["ecs:DescribeServices", "ecs:UpdateService"]),
        _allow(["cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"]),
    ),
    ("/", "AmazonECSInfrastructureRolePolicyForLoadBalancers"): (
        _allow(
            [*_BALANCE, "elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"]
        ),
    ),
    ("/service-role/", "AmazonECSInfrastructureRoleforExpressGatewayServices"): (
        _allow(
            [
                "acm:*",
                "application-autoscaling:*",
                "cloudwatch:*Alarm*",
                "ec2:*SecurityGroup*",
                "ec2:Describe*",
                "elasticloadbalancing:*",
                "logs:CreateLogGroup",
                "logs:DescribeLogGroups",
            ]
        ),
    ),
    ("/aws-service-role/", "AmazonECSServiceRolePolicy"): (
        _allow(
            [
                "autoscaling:Describe*",
                "cloudwatch:*Alarm*",
                "ec2:*NetworkInterface*",
                "ec2:Describe*",
                *_BALANCE,
                "servicediscovery:*",
            ]
        ),
    ),
    ("/aws-service-role/", "AWSApplicationAutoscalingECSServicePolicy"): (
        _allow(
            [
                "ecs:DescribeServices",
                "ecs:UpdateService",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:DeleteAlarms",
                "cloudwatch:GetMetricData",
            ]
        ),
    ),
    ("/", "AmazonEC2ContainerRegistryFullAccess"): (
        _allow(["ecr:*"]),
        _linked_role("replication.ecr.amazonaws.com"),
    ),
    ("/", "AmazonEC2ContainerRegistryPowerUser"): (_allow([*_READ_REGISTRY, *_PUSH]),),
    ("/", "AmazonEC2ContainerRegistryReadOnly"): (_allow(_READ_REGISTRY),),
    ("/", "AmazonEC2ContainerRegistryPullOnly"): (
        _allow(["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]),
    ),
    ("/", "CloudWatchFullAccess"): (_allow(["cloudwatch:*", "logs:*"]),),
    ("/", "CloudWatchFullAccessV2"): (
        _allow(["application-autoscaling:DescribeScalingPolicies", "cloudwatch:*", "logs:*"]),
    ),
    ("/", "CloudWatchReadOnlyAccess"): (
        _allow(
            [
                "application-autoscaling:DescribeScalingPolicies",
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                *_READ_LOGS,
            ]
        ),
    ),
    ("/", "CloudWatchAgentServerPolicy"): (
        _allow(
            [
                "cloudwatch:PutMetricData",
                "ec2:DescribeTags",
                "ec2:DescribeVolumes",
                "logs:PutLogEvents",
                "logs:PutRetentionPolicy",
                "logs:DescribeLogStreams",
                "logs:DescribeLogGroups",
                "logs:CreateLogStream",
                "logs:CreateLogGroup",
            ]
        ),
    ),
    ("/", "CloudWatchLogsFullAccess"): (_allow(["logs:*", "cloudwatch:GenerateQuery"]),),
    ("/", "CloudWatchLogsReadOnlyAccess"): (_allow(_READ_LOGS),),
    ("/", "ElasticLoadBalancingFullAccess"): (
        _allow(["elasticloadbalancing:*", "ec2:Describe*"]),
        _linked_role("elasticloadbalancing.amazonaws.com"),
    ),
    ("/", "ElasticLoadBalancingReadOnly"): (
        _allow(["elasticloadbalancing:Describe*", "ec2:Describe*"]),
    ),
    ("/", "AmazonEC2FullAccess"): (
        _allow(["ec2:*", "elasticloadbalancing:*", "cloudwatch:*", "autoscaling:*"]),
    ),
    ("/", "AmazonEC2ReadOnlyAccess"): (
        _allow(["ec2:Describe*", "elasticloadbalancing:Describe*", "autoscaling:Describe*"]),
    ),
    ("/", "AmazonVPCFullAccess"): (
        _allow(
            [
                "ec2:*Vpc*",
                "ec2:*Subnet*",
                "ec2:*Route*",
                "ec2:*Gateway*",
                "ec2:*SecurityGroup*",
                "ec2:*NetworkAcl*",
                "ec2:*NetworkInterface*",
                "ec2:*Address*",
                "ec2:*DhcpOptions*",
                "ec2:*Tags",
                "ec2:Describe*",
            ]
        ),
    ),
    ("/", "AmazonVPCReadOnlyAccess"): (_allow(["ec2:Describe*"]),),
    ("/", "SecretsManagerReadWrite"): (
        _allow(["secretsmanager:*", "kms:DescribeKey", "kms:ListAliases", "kms:ListKeys"]),
    ),
    ("/", "AmazonSSMFullAccess"): (_allow(["ssm:*", "cloudwatch:PutMetricData"]),),
    ("/", "AmazonSSMReadOnlyAccess"): (_allow(["ssm:Describe*", "ssm:Get*", "ssm:List*"]),),
    ("/", "AmazonSSMManagedInstanceCore"): (
        _allow(
            [
                "ssm:DescribeAssociation",
                "ssm:GetDocument",
                "ssm:DescribeDocument",
                "ssm:GetParameter",
                "ssm:GetParameters",
                "ssmmessages:*",
                "ec2messages:*",
            ]
        ),
    ),
    ("/", "AWSCertificateManagerFullAccess"): (_allow(["acm:*"]),),
    ("/", "AWSCertificateManagerReadOnly"): (
        _allow(
            [
                "acm:DescribeCertificate",
                "acm:ListCertificates",
                "acm:GetCertificate",
                "acm:ListTagsForCertificate",
            ]
        ),
    ),
    ("/", "AWSCloudMapFullAccess"): (
        _allow(["servicediscovery:*", "route53:*", "ec2:DescribeVpcs", "ec2:DescribeRegions"]),
    ),
    ("/", "AmazonEventBridgeFullAccess"): (
        _allow(["events:*", "scheduler:*"]),
        _pass_role("events.amazonaws.com", "scheduler.amazonaws.com"),
    ),
}


def _policy(path: str, name: str, statements: tuple[Mapping[str, Any], ...]) -> ManagedPolicy:
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    digest = hashlib.sha256(f"{path}{name}".encode()).digest()
    return ManagedPolicy(
        scope=Scope(AWS, ""),
        name=name,
        id=f"ANPA{b32encode(digest).decode()[:17]}",
        path=path,
        created_at=_SINCE,
        updated_at=_SINCE,
        versions=(PolicyVersion(number=1, document=document, created_at=_SINCE),),
    )


#: By ARN.
AWS_POLICIES: Mapping[str, ManagedPolicy] = {
    made.arn: made
    for made in (_policy(path, name, given) for (path, name), given in _STATEMENTS.items())
}
