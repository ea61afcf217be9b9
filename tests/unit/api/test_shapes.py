"""Every class that is shown on the wire against the shapes of Amazon's own model."""

from __future__ import annotations

from dataclasses import fields

import botocore.session
import pytest

from openecs.api.shapes import MissingMember, from_members, to_members, wire_name
from openecs.model import clusters, task_definitions, tasks

ECS = botocore.session.get_session().get_service_model("ecs")

SHAPES = {
    clusters.CapacityProviderStrategyItem: "CapacityProviderStrategyItem",
    clusters.ExecuteCommandLogConfiguration: "ExecuteCommandLogConfiguration",
    clusters.ExecuteCommandConfiguration: "ExecuteCommandConfiguration",
    clusters.ManagedStorageConfiguration: "ManagedStorageConfiguration",
    clusters.ClusterConfiguration: "ClusterConfiguration",
    clusters.ManagedScaling: "ManagedScaling",
    clusters.AutoScalingGroupProvider: "AutoScalingGroupProvider",
    task_definitions.NamedValue: "KeyValuePair",
    task_definitions.Secret: "Secret",
    task_definitions.RepositoryCredentials: "RepositoryCredentials",
    task_definitions.PortMapping: "PortMapping",
    task_definitions.RestartPolicy: "ContainerRestartPolicy",
    task_definitions.EnvironmentFile: "EnvironmentFile",
    task_definitions.MountPoint: "MountPoint",
    task_definitions.VolumeFrom: "VolumeFrom",
    task_definitions.KernelCapabilities: "KernelCapabilities",
    task_definitions.Device: "Device",
    task_definitions.Tmpfs: "Tmpfs",
    task_definitions.LinuxParameters: "LinuxParameters",
    task_definitions.ContainerDependency: "ContainerDependency",
    task_definitions.HostEntry: "HostEntry",
    task_definitions.Ulimit: "Ulimit",
    task_definitions.LogConfiguration: "LogConfiguration",
    task_definitions.HealthCheck: "HealthCheck",
    task_definitions.SystemControl: "SystemControl",
    task_definitions.ResourceRequirement: "ResourceRequirement",
    task_definitions.FirelensConfiguration: "FirelensConfiguration",
    task_definitions.ContainerDefinition: "ContainerDefinition",
    task_definitions.HostVolume: "HostVolumeProperties",
    task_definitions.DockerVolume: "DockerVolumeConfiguration",
    task_definitions.EfsAuthorization: "EFSAuthorizationConfig",
    task_definitions.EfsVolume: "EFSVolumeConfiguration",
    task_definitions.S3FilesVolume: "S3FilesVolumeConfiguration",
    task_definitions.FsxAuthorization: "FSxWindowsFileServerAuthorizationConfig",
    task_definitions.FsxVolume: "FSxWindowsFileServerVolumeConfiguration",
    task_definitions.Volume: "Volume",
    task_definitions.PlacementConstraint: "PlacementConstraint",
    task_definitions.PlacementStrategy: "PlacementStrategy",
    task_definitions.RuntimePlatform: "RuntimePlatform",
    task_definitions.ProxyConfiguration: "ProxyConfiguration",
    task_definitions.EphemeralStorage: "EphemeralStorage",
    task_definitions.InferenceAccelerator: "InferenceAccelerator",
    task_definitions.Attribute: "Attribute",
    tasks.ContainerOverride: "ContainerOverride",
    tasks.TaskOverride: "TaskOverride",
    tasks.NetworkBinding: "NetworkBinding",
    tasks.NetworkInterface: "NetworkInterface",
    tasks.Attachment: "Attachment",
    tasks.NetworkConfiguration: "AwsVpcConfiguration",
}

#: Shown by the operation itself: identity, tags, and what is only ours.
UNSHOWN = {"scope", "tags"}


@pytest.mark.parametrize(
    ("type_", "shape"), SHAPES.items(), ids=lambda x: getattr(x, "__name__", x)
)
def test_every_field_is_a_member(type_: type, shape: str) -> None:
    members = set(ECS.shape_for(shape).members)
    assert {wire_name(field.name) for field in fields(type_)} <= members


@pytest.mark.parametrize(
    "shape", ["ContainerDefinition", "Volume", "LinuxParameters", "ContainerOverride"]
)
def test_every_member_has_a_field(shape: str) -> None:
    type_ = next(t for t, name in SHAPES.items() if name == shape)
    assert set(ECS.shape_for(shape).members) == {wire_name(f.name) for f in fields(type_)}


def test_the_fields_of_a_task_definition_are_members() -> None:
    names = {wire_name(f.name) for f in fields(task_definitions.TaskDefinition)} - UNSHOWN
    assert names <= set(ECS.shape_for("TaskDefinition").members)


CONTAINER = {
    "name": "app",
    "image": "nginx",
    "cpu": 10,
    "essential": False,
    "portMappings": [{"containerPort": 80, "protocol": "udp"}],
    "dependsOn": [{"containerName": "db", "condition": "HEALTHY"}],
    "dockerLabels": {"a": "b"},
    "healthCheck": {"command": ["CMD", "true"], "interval": 5, "timeout": 5, "retries": 3},
    "linuxParameters": {"capabilities": {"add": ["NET_ADMIN"]}},
}


def test_members_become_a_value_and_members_again() -> None:
    value = from_members(task_definitions.ContainerDefinition, CONTAINER)
    assert value.depends_on == (
        task_definitions.ContainerDependency(
            container_name="db", condition=task_definitions.DependencyCondition.HEALTHY
        ),
    )
    assert value.linux_parameters is not None
    assert value.linux_parameters.capabilities == task_definitions.KernelCapabilities(
        add=("NET_ADMIN",)
    )
    assert to_members(value) == CONTAINER


def test_enums_are_shown_as_plain_strings() -> None:
    dependency = task_definitions.ContainerDependency(
        container_name="db", condition=task_definitions.DependencyCondition.START
    )
    assert type(to_members(dependency)["condition"]) is str


def test_what_is_not_given_takes_its_default_and_is_left_out() -> None:
    value = from_members(tasks.ContainerOverride, {"name": "app", "cpu": None, "unknown": 1})
    assert value == tasks.ContainerOverride(name="app")
    assert to_members(value) == {"name": "app"}


def test_empty_lists_are_shown_on_request() -> None:
    shown = to_members(tasks.ContainerOverride(name="app"), always=("command", "environment"))
    assert shown == {"name": "app", "command": [], "environment": []}


def test_a_missing_member_is_named() -> None:
    with pytest.raises(MissingMember) as caught:
        from_members(task_definitions.Secret, {"name": "KEY"})
    assert (caught.value.type, caught.value.member) == (task_definitions.Secret, "valueFrom")


def test_what_a_value_itself_misses_is_named_before_what_its_parts_do() -> None:
    with pytest.raises(MissingMember) as caught:
        from_members(task_definitions.ContainerDefinition, {"environment": [{}], "image": "a"})
    assert (caught.value.type, caught.value.member) == (
        task_definitions.ContainerDefinition,
        "name",
    )
