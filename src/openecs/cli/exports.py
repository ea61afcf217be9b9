"""What a shell has to export for AWS clients to find the server."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from enum import StrEnum

from openecs.root_keys import RootKey


class Shell(StrEnum):
    """How exports are written."""

    SH = "sh"
    FISH = "fish"
    JSON = "json"


def variables(url: str, key: RootKey, region: str) -> dict[str, str]:
    """The variables that every AWS SDK and the AWS CLI read."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key.access_key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        # Or Live Tail would be asked for at a host called stream-127.0.0.1.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


def render(given: Mapping[str, str], shell: Shell, *, has_session_token: bool = False) -> str:
    """The text a shell evaluates.

    ``has_session_token``: the shell has that of other credentials, which must go.
    """
    match shell:
        case Shell.SH:
            lines = [f"export {name}={shlex.quote(value)}" for name, value in given.items()]
            forget = "unset AWS_SESSION_TOKEN"
        case Shell.FISH:
            lines = [f"set -gx {name} {shlex.quote(value)};" for name, value in given.items()]
            forget = "set -e AWS_SESSION_TOKEN;"
        case Shell.JSON:
            return json.dumps(dict(given), indent=2)
    return "\n".join([*lines, forget] if has_session_token else lines)
