from __future__ import annotations

import pytest

from openecs.api.base import Caller
from openecs.testing.builders import SCOPE, a_call

ROOT = f"arn:aws:iam::{SCOPE.account}:root"
ALICE = f"arn:aws:iam::{SCOPE.account}:user/alice"


def call_of(arn: str):
    caller = Caller(arn=arn, user_id="AIDA", account=SCOPE.account, access_key_id="AKIA")
    return a_call(caller=caller)


def entry(value: str, principal: str, name: str = "containerInsights") -> dict[str, str]:
    return {"name": name, "value": value, "principalArn": principal, "type": "user"}


@pytest.mark.covers(
    "ecs:PutAccountSetting", "ecs:PutAccountSettingDefault", "ecs:DeleteAccountSetting"
)
async def test_own_setting_before_the_accounts_before_amazons(world) -> None:
    alice, name = call_of(ALICE), "containerInsights"

    async def in_force() -> dict[str, str]:
        answer = await world.do("ListAccountSettings", alice, name=name, effectiveSettings=True)
        (setting,) = answer["settings"]
        return setting

    assert await in_force() == entry("disabled", ALICE)
    answer = await world.do("PutAccountSettingDefault", name=name, value="enabled")
    assert answer == {"setting": entry("enabled", ROOT)}
    assert await in_force() == entry("enabled", ALICE)
    answer = await world.do("PutAccountSetting", alice, name=name, value="enhanced")
    assert answer == {"setting": entry("enhanced", ALICE)}
    assert await in_force() == entry("enhanced", ALICE)
    answer = await world.do("DeleteAccountSetting", alice, name=name)
    assert answer == {"setting": entry("enabled", ALICE)}


async def test_only_what_was_put_is_listed(world) -> None:
    assert await world.do("ListAccountSettings") == {"settings": []}
    await world.do("PutAccountSetting", name="awsvpcTrunking", value="enabled", principalArn=ALICE)
    assert await world.do("ListAccountSettings") == {"settings": []}
    answer = await world.do("ListAccountSettings", principalArn=ALICE)
    assert answer == {"settings": [entry("enabled", ALICE, "awsvpcTrunking")]}


async def test_a_role_is_one_principal_in_all_its_sessions(world) -> None:
    session = f"arn:aws:sts::{SCOPE.account}:assumed-role/ops/alice"
    answer = await world.do(
        "PutAccountSetting", call_of(session), name="awsvpcTrunking", value="enabled"
    )
    assert answer["setting"]["principalArn"] == f"arn:aws:iam::{SCOPE.account}:role/ops"


@pytest.mark.covers("ecs:ListAccountSettings")
async def test_all_effective_settings_take_two_pages(world) -> None:
    first = await world.do("ListAccountSettings", effectiveSettings=True)
    rest = await world.do(
        "ListAccountSettings", effectiveSettings=True, nextToken=first["nextToken"]
    )
    names = [setting["name"] for setting in first["settings"] + rest["settings"]]
    assert len(first["settings"]) == 10
    assert len(names) == len(set(names)) == 11
    assert "nextToken" not in rest


@pytest.mark.parametrize(
    "request_",
    [
        {"name": "whatever", "value": "enabled"},
        {"name": "containerInsights", "value": "on"},
        {"name": "taskLongArnFormat", "value": "disabled"},
        {"name": "guardDutyActivate", "value": "on"},
        {"name": "awsvpcTrunking", "value": "enabled", "principalArn": "alice"},
        {
            "name": "awsvpcTrunking",
            "value": "enabled",
            "principalArn": "arn:aws:iam::999999999999:user/eve",
        },
    ],
)
async def test_what_cannot_be_set(world, request_) -> None:
    code, _ = await world.refused("PutAccountSetting", **request_)
    assert code == "InvalidParameterException"


async def test_a_value_needs_a_name(world) -> None:
    code, _ = await world.refused("ListAccountSettings", value="enabled")
    assert code == "InvalidParameterException"
    await world.do("PutAccountSetting", name="awsvpcTrunking", value="enabled")
    answer = await world.do("ListAccountSettings", name="awsvpcTrunking", value="disabled")
    assert answer == {"settings": []}
