"""One health check of a Lambda function: it is invoked with the event of a request.

User Guide for Application Load Balancers, "Use Lambda functions as targets".
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp
import msgspec

from openecs.control.target_checks import AGENT, CHUNK
from openecs.decide.function_events import MOST, Asked, MalformedAnswer, answer, event
from openecs.decide.target_health import Answered, Failure, Outcome
from openecs.model.load_balancing import Target, TargetGroup

_MULTIPLE = "lambda.multi_value_headers.enabled"


def has_several(group: TargetGroup) -> bool:
    """Whether functions of the group are told all values of a header."""
    return group.attributes.get(_MULTIPLE) == "true"


async def perform(group: TargetGroup, target: Target, url: str) -> Outcome:
    """What the check came to; never raises but when cancelled."""
    # Without an address nothing is known of the function.
    if not url:
        return Failure.INTERNAL
    try:
        said = await _invoke(group, target, url)
        return Answered(answer(said, several=has_several(group)).status)
    except TimeoutError:
        return Failure.TIMEOUT
    except (aiohttp.ClientError, EOFError, MalformedAnswer, OSError, ValueError):
        return Failure.FAILED


async def _invoke(group: TargetGroup, target: Target, url: str) -> Any:
    """What the function says. Raises ``EOFError`` where it fails, or has no end."""
    path, _, query = (group.health_check.path or "/").partition("?")
    headers = (("user-agent", AGENT),)
    asked = Asked(method="GET", path=path, query=query, headers=headers, body=b"")
    payload = msgspec.json.encode(event(asked, group.arn, several=has_several(group)))
    name = quote(target.id, safe="")
    timeout = aiohttp.ClientTimeout(total=group.health_check.timeout)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(
            f"{url.rstrip('/')}/2015-03-31/functions/{name}/invocations",
            data=payload,
            headers={"Content-Type": "application/json"},
        ) as response,
    ):
        if response.status != 200 or response.headers.get("X-Amz-Function-Error"):
            raise EOFError
        body = b""
        async for received in response.content.iter_chunked(CHUNK):
            body += received
            if len(body) > MOST:
                raise EOFError
        return msgspec.json.decode(body)
