"""Redirect actions: the parts of the address a client is sent to, and what may be in them.

Elastic Load Balancing API Reference, RedirectActionConfig.
"""

from __future__ import annotations

import re

from openecs.api.base import Members
from openecs.api.elbv2 import errors
from openecs.model.load_balancing import RedirectAction

_PLACEHOLDER = re.compile(r"#\{([^}]*)\}")
_HIGHEST_PORT = 65535

#: The placeholders each part may have.
_ALLOWED = {
    "protocol": {"protocol"},
    "host": {"host"},
    "port": {"port"},
    "path": {"host", "path", "port"},
    "query": {"host", "path", "port", "protocol", "query"},
}


def redirect(listener_protocol: str, given: Members) -> RedirectAction:
    """The redirect of a request, what it leaves out as it comes.

    Raises ``ValidationError``, ``InvalidLoadBalancerAction``.
    """
    config = given.get("RedirectConfig")
    if not config:
        raise errors.validation("A 'RedirectConfig' must be specified with 'redirect'")
    names = ("Protocol", "Host", "Port", "Path", "Query")
    parts = {name.lower(): config[name] for name in names if config.get(name) is not None}
    made = RedirectAction(status_code=config["StatusCode"], **parts)
    for name in _ALLOWED:
        _check_placeholders(name, getattr(made, name))
    _check_port(made.port)
    if not made.path.startswith("/"):
        raise errors.validation("The redirect path must begin with a '/' character")
    _check_destination(listener_protocol, made)
    return made


def _check_placeholders(name: str, value: str) -> None:
    for found in _PLACEHOLDER.findall(value):
        if found not in _ALLOWED[name]:
            raise errors.validation(f"The redirect {name} cannot contain '#{{{found}}}'")


def _check_port(port: str) -> None:
    if port == "#{port}" or (port.isdecimal() and 1 <= int(port) <= _HIGHEST_PORT):
        return
    raise errors.validation(
        f"The redirect port '{port}' must be in the range '1-{_HIGHEST_PORT}' inclusive or "
        "'#{port}'"
    )


def _check_destination(listener_protocol: str, made: RedirectAction) -> None:
    plain = RedirectAction(status_code=made.status_code, query=made.query)
    if made == plain:
        raise errors.invalid_action(
            "The redirect configuration is not valid because it creates a loop."
        )
    if listener_protocol == "HTTPS" and made.protocol == "HTTP":
        raise errors.invalid_action(
            "The redirect configuration is not valid because it redirects from HTTPS to HTTP."
        )
