from __future__ import annotations

import pytest

from openecs.decide.refusals import refusals
from openecs.model import task_definitions as m
from openecs.testing.builders import a_container_definition, a_task_definition


def of_container(**changes):
    return a_task_definition("f", 1, a_container_definition("app", **changes))


def of_volume(**changes):
    return a_task_definition(volumes=(m.Volume(name="data", **changes),))


ACCELERATOR = m.InferenceAccelerator(device_name="eia", device_type="eia2.medium")
S3_FILES = m.S3FilesVolume(file_system_arn="arn:aws:s3files:eu-central-1:1:file-system/fs-1")
SECRET = m.Secret(name="S", value_from="arn")


def logs(driver, **changes):
    return of_container(log_configuration=m.LogConfiguration(log_driver=driver, **changes))


EFS = of_volume(efs_volume_configuration=m.EfsVolume(file_system_id="fs-1"))


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (logs("awsfirelens"), "log driver awsfirelens"),
        (logs("splunk", secret_options=(SECRET,)), "Parameter Store"),
        (of_container(secrets=(SECRET,)), "Parameter Store"),
        (
            of_container(resource_requirements=(m.ResourceRequirement(type="GPU", value="1"),)),
            "GPU",
        ),
        (of_container(credential_specs=("credentialspec:x",)), "credentialSpecs"),
        (
            a_task_definition(
                runtime_platform=m.RuntimePlatform(
                    operating_system_family="WINDOWS_SERVER_2022_CORE"
                )
            ),
            "WINDOWS_SERVER_2022_CORE",
        ),
        (of_volume(configured_at_launch=True), "EBS"),
        (of_volume(s3files_volume_configuration=S3_FILES), "S3 Files"),
        (EFS, "fs-1"),
        (a_task_definition(inference_accelerators=(ACCELERATOR,)), "inferenceAccelerators"),
        (
            a_task_definition(proxy_configuration=m.ProxyConfiguration(container_name="envoy")),
            "proxyConfiguration",
        ),
        (a_task_definition(enable_fault_injection=True), "enableFaultInjection"),
        (of_container(firelens_configuration=m.FirelensConfiguration(type="fluentd")), "FireLens"),
    ],
)
def test_what_is_not_built_is_named(definition, words):
    (text,) = refusals(definition, {})
    assert words in text


def test_what_is_built_is_not_refused():
    assert refusals(a_task_definition(), {}) == ()
    assert refusals(logs("json-file"), {}) == ()
    assert refusals(EFS, {"fs-1": "/data"}) == ()
    linux = a_task_definition(runtime_platform=m.RuntimePlatform(operating_system_family="LINUX"))
    assert refusals(linux, {}) == ()


def test_every_reason_is_told():
    definition = a_task_definition(
        "f",
        1,
        a_container_definition("a", secrets=(SECRET,)),
        a_container_definition("b", secrets=(SECRET,)),
    )
    first, second = refusals(definition, {})
    assert "'a'" in first
    assert "'b'" in second
