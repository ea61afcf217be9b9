"""AWS Signature Version 4: that a request was signed with a key, for here and for now.

Pure: ``claim`` reads what a request says of its signature, ``verify`` holds it against the key.
AWS documents the algorithm in the IAM User Guide, "Create a signed AWS API request"; the texts of
the errors are those of its services.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import quote, unquote

from openecs.gateway.credentials import AccessKey
from openecs.gateway.exchange import Request
from openecs.gateway.refusal import Reason, Refused

_ALGORITHM = "AWS4-HMAC-SHA256"
_TERMINATOR = "aws4_request"
_TIME = "%Y%m%dT%H%M%SZ"
_BASIC_FORMAT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_PART = re.compile(r"([A-Za-z-]+)=([^,\s]*)")
_PRESIGNED = ("Credential", "SignedHeaders", "Signature", "Date", "Expires")
_LONGEST_PRESIGNED = 604_800
_SKEW = timedelta(minutes=5)
#: What must be signed where it is there; all else is the client's choice.
_ALWAYS_SIGNED = ("host", "x-amz-target")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a request says of its own signature; nothing of it is proven yet.

    ``time`` is the text that was signed; ``expires`` is given for presigned requests.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: str
    session_token: str | None
    expires: timedelta | None


def claim(request: Request) -> Claim:
    """What the request says of its signature. Raises ``Refused`` where that is incomplete."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        return _header_claim(request, authorization)
    if "X-Amz-Algorithm=" in request.query or "X-Amz-Signature=" in request.query:
        return _query_claim(dict(request.arguments))
    raise Refused(Reason.MISSING_TOKEN, "Request is missing Authentication Token")


def verify(claim: Claim, request: Request, key: AccessKey | None, now: datetime) -> AccessKey:
    """The key, if the request was signed with it and is neither old nor of the future.

    Raises ``Refused``: in AWS's order an unknown key comes before a wrong time, that before a wrong
    signature.
    """
    if key is None or not key.active:
        raise _invalid_token()
    _check_time(claim, now)
    _check_headers(claim, request)
    if (claim.session_token or "") != (key.session_token or ""):
        raise _invalid_token()
    if key.expires is not None and key.expires <= now:
        message = "The security token included in the request is expired"
        raise Refused(Reason.EXPIRED_TOKEN, message)
    expected = _signature(claim, request, key.secret)
    if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
        raise _mismatch(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details."
        )
    return key


def check_scope(claim: Claim, service: str) -> None:
    """Raise ``Refused`` unless the claim is for ``service`` (its signing name) and a region."""
    if claim.service != service:
        raise _mismatch(f"Credential should be scoped to correct service: '{service}'.")
    if not _REGION.fullmatch(claim.region):
        raise _mismatch("Credential should be scoped to a valid region.")


def canonical_request(request: Request, claim: Claim) -> str:
    """The text whose hash is signed: what of the request the signature covers."""
    headers = [
        f"{name}:{_trimmed(request.headers.get(name, ''))}\n" for name in claim.signed_headers
    ]
    lines = (
        request.method,
        _canonical_path(request.path, claim.service),
        _canonical_query(request),
        "".join(headers),
        ";".join(claim.signed_headers),
        _payload_hash(request, claim),
    )
    return "\n".join(lines)


def _header_claim(request: Request, authorization: str) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    parts = dict(_PART.findall(rest)) if algorithm == _ALGORITHM else {}
    time = _header_time(request)
    missing = [
        f"Authorization header requires '{name}' parameter."
        for name in ("Credential", "Signature", "SignedHeaders")
        if not parts.get(name)
    ]
    if time is None:
        missing.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    if missing or time is None:
        raise _incomplete(f"{' '.join(missing)} Authorization={authorization}")
    return _claim(parts, time, request.headers.get("x-amz-security-token"), None)


def _header_time(request: Request) -> str | None:
    time = request.headers.get("x-amz-date")
    if time is not None or "date" not in request.headers:
        return time
    try:
        return parsedate_to_datetime(request.headers["date"]).astimezone(UTC).strftime(_TIME)
    except (ValueError, OverflowError):
        return None


def _query_claim(arguments: Mapping[str, str]) -> Claim:
    parts = {name: arguments.get(f"X-Amz-{name}", "") for name in _PRESIGNED}
    missing = [name for name, value in parts.items() if not value]
    if missing or arguments.get("X-Amz-Algorithm") != _ALGORITHM:
        raise _incomplete(
            "AWS query-string parameters must include "
            f"'X-Amz-Algorithm' ({_ALGORITHM}), 'X-Amz-Credential', 'X-Amz-Signature', "
            "'X-Amz-SignedHeaders', 'X-Amz-Date' and 'X-Amz-Expires'."
        )
    seconds = parts["Expires"]
    if not re.fullmatch(r"[0-9]{1,6}", seconds) or not 0 < int(seconds) <= _LONGEST_PRESIGNED:
        raise _incomplete(f"X-Amz-Expires must be between 1 and {_LONGEST_PRESIGNED} seconds")
    token = arguments.get("X-Amz-Security-Token")
    return _claim(parts, parts["Date"], token, timedelta(seconds=int(seconds)))


def _claim(
    parts: Mapping[str, str], time: str, token: str | None, expires: timedelta | None
) -> Claim:
    scope = parts["Credential"].split("/")
    if len(scope) != 5:
        raise _incomplete(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/term, got '{parts['Credential']}'"
        )
    if scope[4] != _TERMINATOR:
        raise _mismatch(
            f"Credential should be scoped with a valid terminator: '{_TERMINATOR}', "
            f"not '{scope[4]}'."
        )
    if scope[1] != time[:8]:
        raise _mismatch(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{scope[1]}' != '{time[:8]}', from '{time}'."
        )
    return Claim(
        access_key_id=scope[0],
        date=scope[1],
        region=scope[2],
        service=scope[3],
        signed_headers=tuple(parts["SignedHeaders"].split(";")),
        signature=parts["Signature"],
        time=time,
        session_token=token,
        expires=expires,
    )


def _check_time(claim: Claim, now: datetime) -> None:
    signed = _time(claim.time)
    skew = timedelta(minutes=15) if claim.service == "s3" else _SKEW
    minutes = f"{skew // timedelta(minutes=1)} min."
    oldest, newest = now - (claim.expires or skew), now + skew
    if signed < oldest:
        raise Refused(
            Reason.OUT_OF_TIME,
            f"Signature expired: {claim.time} is now earlier than {oldest:{_TIME}} "
            f"({now:{_TIME}} - {minutes})",
        )
    if signed > newest:
        raise Refused(
            Reason.OUT_OF_TIME,
            f"Signature not yet current: {claim.time} is still later than {newest:{_TIME}} "
            f"({now:{_TIME}} + {minutes})",
        )


def _time(text: str) -> datetime:
    try:
        if _BASIC_FORMAT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    raise _incomplete(
        f"Date must be in ISO-8601 'basic format'. Got '{text}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601"
    )


def _check_headers(claim: Claim, request: Request) -> None:
    for name in _ALWAYS_SIGNED:
        if name in request.headers and name not in claim.signed_headers:
            raise _mismatch(f"'{name.title()}' must be a 'SignedHeader' in the AWS Authorization.")


def _signature(claim: Claim, request: Request, secret: str) -> str:
    canonical = canonical_request(request, claim).encode("latin-1", errors="replace")
    text = (
        f"{_ALGORITHM}\n{claim.time}\n"
        f"{claim.date}/{claim.region}/{claim.service}/{_TERMINATOR}\n"
        f"{hashlib.sha256(canonical).hexdigest()}"
    )
    key = _signing_key(secret, claim.date, claim.region, claim.service)
    return hmac.digest(key, text.encode(), "sha256").hex()


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, _TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _canonical_path(path: str, service: str) -> str:
    """The path as signed: as sent for S3; for the others normalised and encoded once more."""
    if path in {"", "/"}:
        return "/"
    return path if service == "s3" else quote(_without_dots(path), safe="/~")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del kept[-1:]
        elif part not in {"", "."}:
            kept.append(part)
    return "/" + "/".join(kept) + ("/" if path.endswith("/") and kept else "")


def _canonical_query(request: Request) -> str:
    if not request.query:
        return ""
    split = (part.partition("=") for part in request.query.split("&") if part)
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((_encoded(name), _encoded(value)) for name, _, value in split)
        if name != "X-Amz-Signature"
    )


def _encoded(text: str) -> str:
    return quote(unquote(text, errors="surrogateescape"), safe="~", errors="surrogateescape")


def _payload_hash(request: Request, claim: Claim) -> str:
    """The hash that stands for the body; only S3 lets it be left unsigned."""
    if claim.service == "s3":
        given = request.headers.get("x-amz-content-sha256", "")
        if given == "UNSIGNED-PAYLOAD" or claim.expires is not None:
            return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY_HASH


def _trimmed(value: str) -> str:
    return " ".join(value.split()) if "  " in value else value.strip()


def _incomplete(message: str) -> Refused:
    return Refused(Reason.INCOMPLETE_SIGNATURE, message)


def _invalid_token() -> Refused:
    message = "The security token included in the request is invalid."
    return Refused(Reason.UNKNOWN_KEY, message)


def _mismatch(message: str) -> Refused:
    return Refused(Reason.BAD_SIGNATURE, message)
