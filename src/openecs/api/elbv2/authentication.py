"""Actions that authenticate: users by an OpenID Connect provider, requests by their tokens.

Elastic Load Balancing API Reference, AuthenticateOidcActionConfig, JwtValidationActionConfig.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from openecs.api.base import Members
from openecs.api.elbv2 import errors
from openecs.model.load_balancing import Action, Claim, JwtAction, OidcAction

_ENDPOINTS = ("Issuer", "AuthorizationEndpoint", "TokenEndpoint", "UserInfoEndpoint")
_PARAMETER = re.compile(r"[a-zA-Z0-9_.-]+")
_COOKIE_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_MOST_PARAMETERS = 10
_SHORTEST, _LONGEST = 1, 604800
_MOST_CLAIMS = _MOST_VALUES = 10
_LONGEST_TEXT = 256
_SINGLE, _SPACED = "single-string", "space-separated-values"
#: What is validated anyway.
_USUAL = {"exp", "iss", "nbf", "iat"}


def oidc(given: Members, before: Iterable[Action]) -> OidcAction:
    """The configuration of a request; ``before`` may have the client secret it leaves out.

    Raises ``ValidationError``, ``InvalidLoadBalancerAction``.
    """
    config = given.get("AuthenticateOidcConfig")
    if not config:
        raise errors.validation(
            "An 'AuthenticateOidcConfig' must be specified with 'authenticate-oidc'"
        )
    for name in _ENDPOINTS:
        check_url(name, config[name])
    extra = config.get("AuthenticationRequestExtraParams") or {}
    if len(extra) > _MOST_PARAMETERS:
        raise errors.validation(
            f"The number of authentication request extra params cannot exceed '{_MOST_PARAMETERS}'"
        )
    if wrong := next((key for key in extra if not _PARAMETER.fullmatch(key)), None):
        raise errors.validation(f"Authentication request extra param '{wrong}' is not valid")
    return OidcAction(
        issuer=config["Issuer"],
        authorization_endpoint=config["AuthorizationEndpoint"],
        token_endpoint=config["TokenEndpoint"],
        user_info_endpoint=config["UserInfoEndpoint"],
        client_id=config["ClientId"],
        client_secret=_secret(config, before),
        session_cookie_name=_cookie_name(config),
        scope=config.get("Scope") or "openid",
        session_timeout=_timeout(config),
        extra_parameters=dict(extra),
        on_unauthenticated_request=config.get("OnUnauthenticatedRequest") or "authenticate",
    )


def show_oidc(oidc: OidcAction) -> Members:
    """What is told of it: all but the client secret."""
    return {
        "Issuer": oidc.issuer,
        "AuthorizationEndpoint": oidc.authorization_endpoint,
        "TokenEndpoint": oidc.token_endpoint,
        "UserInfoEndpoint": oidc.user_info_endpoint,
        "ClientId": oidc.client_id,
        "SessionCookieName": oidc.session_cookie_name,
        "Scope": oidc.scope,
        "SessionTimeout": oidc.session_timeout,
        "AuthenticationRequestExtraParams": oidc.extra_parameters or None,
        "OnUnauthenticatedRequest": oidc.on_unauthenticated_request,
    }


def jwt(given: Members) -> JwtAction:
    """The configuration of a request. Raises ``ValidationError``."""
    config = given.get("JwtValidationConfig")
    if not config:
        raise errors.validation("A 'JwtValidationConfig' must be specified with 'jwt-validation'")
    check_url("JwksEndpoint", config["JwksEndpoint"])
    for name in ("JwksEndpoint", "Issuer"):
        _check_text(name, config[name])
    claims = config.get("AdditionalClaims") or ()
    if len(claims) > _MOST_CLAIMS:
        raise errors.validation(f"The number of additional claims cannot exceed '{_MOST_CLAIMS}'")
    return JwtAction(
        jwks_endpoint=config["JwksEndpoint"],
        issuer=config["Issuer"],
        claims=tuple(_claim(each) for each in claims),
    )


def show_jwt(jwt: JwtAction) -> Members:
    """What is told of it."""
    claims = [{"Name": c.name, "Format": c.format, "Values": list(c.values)} for c in jwt.claims]
    return {
        "JwksEndpoint": jwt.jwks_endpoint,
        "Issuer": jwt.issuer,
        "AdditionalClaims": claims or None,
    }


def _claim(given: Members) -> Claim:
    name, format_, values = given["Name"], given["Format"], tuple(given["Values"])
    if not name or name in _USUAL:
        raise errors.validation(f"The additional claim '{name}' cannot be specified")
    if not 1 <= len(values) <= (1 if format_ == _SINGLE else _MOST_VALUES):
        raise errors.validation(f"The number of values of the additional claim '{name}' is wrong")
    for value in values:
        _check_text("Values", value)
        if format_ == _SPACED and " " in value:
            raise errors.validation(f"Values of format '{_SPACED}' cannot include spaces")
    return Claim(name=name, format=format_, values=values)


def _check_text(name: str, text: str) -> None:
    if not 1 <= len(text) <= _LONGEST_TEXT:
        raise errors.validation(f"The length of '{name}' must be between '1-{_LONGEST_TEXT}'")


def check_url(name: str, url: str) -> None:
    """Whether it is one that Envoy can ask. Raises ``ValidationError``."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_valid = False
    # What no URL has would be a part of Envoy's own answers.
    if not is_valid or not url.isascii() or not url.isprintable() or " " in url:
        raise errors.validation(f"'{name}' must be a full URL with protocol, domain and path")


def _secret(config: Members, before: Iterable[Action]) -> str:
    given = config.get("ClientSecret")
    if not config.get("UseExistingClientSecret"):
        if not given:
            raise errors.validation("A 'ClientSecret' must be specified")
        return str(given)
    if given:
        raise errors.validation(
            "'ClientSecret' cannot be specified when 'UseExistingClientSecret' is true"
        )
    known = [each.oidc for each in before if each.oidc]
    if not known:
        raise errors.invalid_action("There is no existing client secret to use")
    return known[0].client_secret


def _cookie_name(config: Members) -> str:
    name = config.get("SessionCookieName") or "AWSELBAuthSessionCookie"
    if not _COOKIE_NAME.fullmatch(name):
        raise errors.validation(f"Session cookie name '{name}' is not valid")
    return str(name)


def _timeout(config: Members) -> int:
    seconds = config.get("SessionTimeout")
    if seconds is None:
        return _LONGEST
    if not _SHORTEST <= seconds <= _LONGEST:
        raise errors.validation(
            f"Session timeout '{seconds}' must be between '{_SHORTEST}-{_LONGEST}' inclusive"
        )
    return int(seconds)
