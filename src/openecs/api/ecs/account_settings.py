"""Account settings: put for a principal or for the whole account, deleted, listed.

What is in force for a principal is its own setting, else the account's default, else Amazon's.
Reference: Amazon ECS Developer Guide, "Access Amazon ECS features with account settings".
"""

from __future__ import annotations

from openecs.api.base import Call, Members, Operation, Reads, Writes
from openecs.api.ecs import errors
from openecs.api.ecs.paging import open_page
from openecs.model.clusters import AccountSetting
from openecs.model.identity import parse_arn
from openecs.store.base import Transaction, View
from openecs.store.kinds import ACCOUNT_SETTINGS

#: The values of each setting, Amazon's default first.
_VALUES = {
    "awsvpcTrunking": ("disabled", "enabled"),
    "containerInsights": ("disabled", "enabled", "enhanced"),
    # The long format is the only one there is; AWS has closed the way back as well.
    "containerInstanceLongArnFormat": ("enabled",),
    "defaultLogDriverMode": ("non-blocking", "blocking"),
    "fargateEventWindows": ("disabled", "enabled"),
    "fargateFIPSMode": ("disabled", "enabled"),
    "fargateTaskRetirementWaitPeriod": ("7", "0", "14"),
    "guardDutyActivate": ("off",),
    "serviceLongArnFormat": ("enabled",),
    "tagResourceAuthorization": ("off", "on"),
    "taskLongArnFormat": ("enabled",),
}

#: Settings that only Amazon GuardDuty changes.
_AWS_MANAGED = {"guardDutyActivate"}

#: The principal of the account's defaults.
_ACCOUNT = ""


def put_account_setting(tx: Transaction, call: Call, request: Members) -> Members:
    """Set a setting of one principal: the caller, unless ``principalArn`` names another."""
    return _put(tx, call, request, _principal(call, request.get("principalArn")))


def put_account_setting_default(tx: Transaction, call: Call, request: Members) -> Members:
    """Set the account's default of a setting."""
    return _put(tx, call, request, _ACCOUNT)


def delete_account_setting(tx: Transaction, call: Call, request: Members) -> Members:
    """Take a principal's setting away; the answer says what is in force for it then."""
    name = _known(request["name"])
    principal = _principal(call, request.get("principalArn"))
    tx.delete(ACCOUNT_SETTINGS, call.scope, f"{name}/{principal}")
    return {"setting": _show(effective(tx, call, name, principal))}


def list_account_settings(view: View, call: Call, request: Members) -> Members:
    """The settings put for a principal, or with ``effectiveSettings`` those in force for it."""
    name, value = request.get("name"), request.get("value")
    if value is not None and name is None:
        raise errors.invalid_parameter("Setting name must be specified when value is specified.")
    page = open_page(call, "ListAccountSettings", request, default=10, maximum=10)
    principal = _principal(call, request.get("principalArn"))
    settings = [
        setting
        for each in ([_known(name)] if name else sorted(_VALUES))
        if (setting := _find(view, call, each, principal, request)) is not None
        and value in {None, setting.value}
        and setting.name > page.after
    ]
    shown, token = page.cut(settings, lambda setting: setting.name)
    return {"settings": [_show(setting) for setting in shown], "nextToken": token}


def effective(view: View, call: Call, name: str, principal: str | None = None) -> AccountSetting:
    """The setting in force for a principal, by default the caller."""
    owner = _principal(call, None) if principal is None else principal
    for each in (owner, _ACCOUNT):
        found = view.get(ACCOUNT_SETTINGS, call.scope, f"{name}/{each}")
        if found is not None:
            return AccountSetting(
                scope=call.scope, name=name, value=found.value, principal_arn=owner
            )
    return AccountSetting(scope=call.scope, name=name, value=_VALUES[name][0], principal_arn=owner)


OPERATIONS: dict[str, Operation] = {
    "PutAccountSetting": Writes(put_account_setting),
    "PutAccountSettingDefault": Writes(put_account_setting_default),
    "DeleteAccountSetting": Writes(delete_account_setting),
    "ListAccountSettings": Reads(list_account_settings),
}


def _put(tx: Transaction, call: Call, request: Members, principal: str) -> Members:
    name, value = _known(request["name"]), request["value"]
    if name in _AWS_MANAGED:
        raise errors.invalid_parameter(f"The account setting {name} is managed by AWS.")
    if value not in _VALUES[name]:
        allowed = ", ".join(sorted(_VALUES[name]))
        raise errors.invalid_parameter(
            f"Invalid value for account setting {name}. Valid values are: [{allowed}]"
        )
    setting = AccountSetting(scope=call.scope, name=name, value=value, principal_arn=principal)
    tx.put(ACCOUNT_SETTINGS, setting)
    return {"setting": _show(setting)}


def _find(
    view: View, call: Call, name: str, principal: str, request: Members
) -> AccountSetting | None:
    if request.get("effectiveSettings"):
        return effective(view, call, name, principal)
    return view.get(ACCOUNT_SETTINGS, call.scope, f"{name}/{principal}")


def _known(name: str) -> str:
    if name not in _VALUES:
        raise errors.invalid_parameter(f"Invalid account setting name: {name}")
    return name


def _principal(call: Call, arn: str | None) -> str:
    """Whose settings are meant. The root user's are the account's defaults."""
    parsed = parse_arn(arn or call.caller.arn)
    if parsed is None or parsed.service not in {"iam", "sts"}:
        raise errors.invalid_parameter("The principal ARN is not valid.")
    if parsed.account != call.scope.account:
        raise errors.invalid_parameter("The principal must be of the account of the caller.")
    match parsed.resource.split("/"):
        case ["root"]:
            return _ACCOUNT
        case ["assumed-role", role, *_]:
            return f"arn:aws:iam::{parsed.account}:role/{role}"
        case _:
            return arn or call.caller.arn


def _show(setting: AccountSetting) -> dict[str, str]:
    return {
        "name": setting.name,
        "value": setting.value,
        "principalArn": setting.principal_arn or f"arn:aws:iam::{setting.scope.account}:root",
        "type": "aws_managed" if setting.name in _AWS_MANAGED else "user",
    }
