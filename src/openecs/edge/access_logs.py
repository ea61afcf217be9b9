"""Access logs of application load balancers: what Envoy notes, and AWS's lines made of it.

User Guide for Application Load Balancers, "Access logs". Envoy notes each request in a file of its
own, whose path has all that the delivered file's key needs (``deliveries``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path, PurePath
from typing import Any

from openecs.edge.clients import CLIENT
from openecs.edge.transforms import ASKED
from openecs.model.load_balancing import SERVICE, Action, Listener, LoadBalancer

Resource = dict[str, Any]
Entry = Mapping[str, Any]

_LOGGERS = "type.googleapis.com/envoy.extensions.access_loggers"
_TIME = "%Y-%m-%dT%H:%M:%S.%6fZ"
_NONE = "-"

#: What Envoy says of logins that failed, and AWS's words for it.
_REASONS = (
    ("CSRF token", "AuthInvalidStateParam"),
    ("Failed to get access token", "AuthInvalidGrantError"),
)

#: What Envoy notes of a request.
_NOTED = {
    "time": f"%EMIT_TIME({_TIME})%",
    "created": f"%START_TIME({_TIME})%",
    "client": f"%FILTER_STATE({CLIENT}:PLAIN)%",
    "target": "%UPSTREAM_HOST%",
    "request_us": "%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:us)%",
    "target_us": "%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%",
    "response_us": "%COMMON_DURATION(US_RX_BEG:DS_TX_BEG:us)%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "received": "%DOWNSTREAM_WIRE_BYTES_RECEIVED%",
    "sent": "%DOWNSTREAM_WIRE_BYTES_SENT%",
    "method": "%REQ(:METHOD)%",
    "authority": "%REQ(:AUTHORITY)%",
    "path": "%REQ(:PATH)%",
    # Before transforms.
    "asked_host": f"%DYNAMIC_METADATA({ASKED}:host)%",
    "asked_path": f"%DYNAMIC_METADATA({ASKED}:path)%",
    "transform": f"%DYNAMIC_METADATA({ASKED}:status)%",
    "protocol": "%PROTOCOL%",
    "agent": "%REQ(USER-AGENT)%",
    "content_type": "%REQ(CONTENT-TYPE)%",
    "upgrade": "%REQ(UPGRADE)%",
    "cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "tls": "%DOWNSTREAM_TLS_VERSION%",
    "name": "%REQUESTED_SERVER_NAME%",
    "group": "%UPSTREAM_CLUSTER_RAW%",
    "trace": "%REQ(X-AMZN-TRACE-ID)%",
    "route": "%ROUTE_NAME%",
    "location": "%RESP(LOCATION)%",
}


def is_logged(balancer: LoadBalancer, kind: str = "access_logs") -> bool:
    """Whether its requests are noted, or its connections."""
    return balancer.attributes.get(f"{kind}.s3.enabled") == "true"


def route_name(priority: int, actions: Sequence[Action]) -> str:
    """The name of a rule's routes, by which a line tells the rule and its actions."""
    return f"{priority} {','.join(action.type.partition('-oidc')[0] for action in actions)}"


def notes(balancer: LoadBalancer, directory: Path, kind: str = "access_logs") -> Path:
    """The file in which Envoy notes the requests of a load balancer, or its connections."""
    scope = balancer.scope
    prefix = balancer.attributes.get(f"{kind}.s3.prefix", "")
    folder = directory / balancer.attributes[f"{kind}.s3.bucket"] / prefix
    named = f"{scope.account}_{SERVICE}_{scope.region}_{balancer.path.replace('/', '.')}"
    keyed = folder / "AWSLogs" / scope.account / SERVICE / scope.region
    first = "conn_log." if kind == "connection_logs" else ""
    return keyed / f"{first}{named}_{balancer.loopback_address}.json"


def loggers(fronts: Sequence[tuple[LoadBalancer, Listener]], directory: Path) -> list[Resource]:
    """What notes the requests of some listeners that share one of Envoy's.

    The first of them has the requests that are not said to be another's.
    """
    made = []
    others = [balancer.arn for balancer, _ in fronts[1:]]
    for number, (balancer, listener) in enumerate(fronts):
        if is_logged(balancer):
            only = _only(others, balancer.arn if number else None)
            made.append(_logger(balancer, listener, directory) | (only if others else {}))
    return made


def _logger(balancer: LoadBalancer, listener: Listener, directory: Path) -> Resource:
    shown = listener.certificates
    known = {
        "certificate": shown[0] if len(shown) == 1 else _NONE,
        "port": str(listener.port),
    }
    return file_logger(notes(balancer, directory), {**_NOTED, **known})


def file_logger(path: Path, noted: Mapping[str, str]) -> Resource:
    """What notes something in a file."""
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{_LOGGERS}.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {"json_format": dict(noted)},
        },
    }


def _only(others: Sequence[str], arn: str | None) -> Resource:
    """The requests to one of those that share a listener, or to none of the others."""
    host = "xds.virtual_host_name"
    listed = ", ".join(f"'{other}'" for other in others)
    return filtered(f"{host} == '{arn}'" if arn else f"!({host} in [{listed}])")


def filtered(expression: str) -> Resource:
    """The part of a logger that has it note some only."""
    config = {"@type": f"{_LOGGERS}.filters.cel.v3.ExpressionFilter", "expression": expression}
    extension = {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": config}
    return {"filter": {"extension_filter": extension}}


def key(noted: PurePath, at: datetime, mark: str) -> PurePath:
    """The key in its bucket of what was noted until a time."""
    head, _, address = noted.stem.rpartition("_")
    # Network load balancers have no address in theirs.
    place = "" if balancer_name(noted).startswith("net/") else f"_{address}"
    day = noted.parent / f"{at:%Y}" / f"{at:%m}" / f"{at:%d}"
    return day / f"{head}_{at:%Y%m%dT%H%MZ}{place}_{mark}.log.gz"


def balancer_name(noted: PurePath) -> str:
    """The load balancer whose requests were noted, as lines name it: ``app/NAME/ID``."""
    return noted.stem.split("_")[-2].replace(".", "/")


def line(entry: Entry, balancer: str) -> str:
    """The line of a request."""
    priority, _, wanted = (entry["route"] or "-1 ").partition(" ")
    actions = _executed(entry, wanted)
    status, by_target = _status(entry), entry["details"] == "via_upstream"
    target = entry["target"] or _NONE
    target_status = str(entry["status"]) if by_target else _NONE
    redirected = entry["location"] if actions.endswith("redirect") else None
    return " ".join(
        (
            _type(entry),
            entry["time"],
            balancer,
            entry["client"],
            target,
            *(_seconds(entry[f"{each}_us"]) for each in ("request", "target", "response")),
            status,
            target_status,
            str(entry["received"]),
            str(entry["sent"]),
            quoted(_request(entry)),
            quoted(entry["agent"]),
            entry["cipher"] or _NONE,
            entry["tls"] or _NONE,
            entry["group"] or _NONE,
            quoted(entry["trace"]),
            quoted(entry["name"]),
            quoted(entry["certificate"]),
            priority,
            entry["created"],
            quoted(actions),
            quoted(redirected),
            quoted(_reason(entry, actions)),
            quoted(target),
            quoted(target_status),
            # Classification and its reason, the connection's trace.
            '"-" "-" -',
            quoted(entry["authority"] if entry["asked_host"] else None),
            quoted(entry["path"] if entry["asked_path"] else None),
            quoted(f"Transform{entry['transform']}" if entry["transform"] else None),
        )
    )


def _executed(entry: Entry, wanted: str) -> str:
    """The actions that were done: with who is not known yet, the first one alone."""
    first, _, others = wanted.partition(",")
    details = entry["details"] or ""
    refused = entry["status"] == 401 and details not in {"via_upstream", "direct_response"}
    return first if others and (details.startswith("oauth.") or refused) else wanted


def _reason(entry: Entry, actions: str) -> str | None:
    """Why authentication has failed, as far as Envoy tells."""
    if actions != "authenticate":
        return None
    details = (entry["details"] or "").replace("_", " ")
    return next((reason for part, reason in _REASONS if details.startswith(part)), None)


def _type(entry: Entry) -> str:
    secure = "s" if entry["tls"] else ""
    if (entry["upgrade"] or "").lower() == "websocket":
        return f"ws{secure}"
    if entry["protocol"] != "HTTP/2" or not secure:
        return f"http{secure}"
    return "grpcs" if (entry["content_type"] or "").startswith("application/grpc") else "h2"


def _status(entry: Entry) -> str:
    if entry["status"]:
        return str(entry["status"])
    # 460: the client went before there was an answer.
    return "460" if "DC" in (entry["flags"] or "").split(",") else _NONE


def _seconds(microseconds: int | None) -> str:
    return "-1" if microseconds is None else f"{microseconds / 1e6:.3f}"


def _request(entry: Entry) -> str:
    scheme = "https" if entry["tls"] else "http"
    authority = entry["asked_host"] or entry["authority"] or _NONE
    if not authority.rpartition(":")[2].isdecimal():
        authority += f":{entry['port']}"
    url = f"{scheme}://{authority}{entry['asked_path'] or entry['path'] or ''}"
    return f"{entry['method'] or _NONE} {url} {entry['protocol'] or _NONE}"


def quoted(text: str | None) -> str:
    """A text of a client's, which cannot end the field it is in."""
    if not text:
        return '"-"'
    escaped = (c if c.isprintable() and c not in '"\\' else f"\\x{ord(c):02X}" for c in text)
    return f'"{"".join(escaped)}"'
