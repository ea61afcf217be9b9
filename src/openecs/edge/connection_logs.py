"""Logs of connections: connection logs of application load balancers, access logs of network ones.

User Guide for Application Load Balancers, "Connection logs"; User Guide for Network Load Balancers,
"Access logs", which are of TLS listeners only. Envoy notes a connection when it ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openecs.edge import access_logs
from openecs.model.load_balancing import Listener, LoadBalancer, LoadBalancerType

Resource = dict[str, Any]
Entry = Mapping[str, Any]
Fronts = Sequence[tuple[LoadBalancer, Listener]]

_TIME = "%Y-%m-%dT%H:%M:%S.%6fZ"
_DAY = "%Y-%m-%dT%H:%M:%SZ"
_NONE = "-"

_NOTED = {
    "time": f"%EMIT_TIME({_TIME})%",
    "created": f"%START_TIME({_TIME})%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "local": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "lasted_ms": "%DURATION%",
    "handshake_us": "%COMMON_DURATION(DS_CX_BEG:DS_HS_END:us)%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "tls": "%DOWNSTREAM_TLS_VERSION%",
    "name": "%REQUESTED_SERVER_NAME%",
    "subject": "%DOWNSTREAM_PEER_SUBJECT%",
    "serial": "%DOWNSTREAM_PEER_SERIAL%",
    "valid_from": f"%DOWNSTREAM_PEER_CERT_V_START({_DAY})%",
    "valid_to": f"%DOWNSTREAM_PEER_CERT_V_END({_DAY})%",
    "failure": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
    "ended": "%CONNECTION_TERMINATION_DETAILS%",
}

#: What Envoy says of clients that it did not let in, and AWS's words for it.
_REASONS = (
    ("expired", "ClientCertExpired"),
    ("not yet valid", "ClientCertNotYetValid"),
    ("certificate_verify_failed", "ClientCertUntrusted"),
    ("rbac", "ClientCertCrlHit"),
)


def kind(balancer: LoadBalancer) -> str:
    """The attributes that say where connections of a load balancer are logged."""
    is_network = balancer.type is LoadBalancerType.NETWORK
    return "access_logs" if is_network else "connection_logs"


def is_logged(balancer: LoadBalancer) -> bool:
    """Whether its connections are noted."""
    return access_logs.is_logged(balancer, kind(balancer))


def notes(balancer: LoadBalancer, directory: Path) -> Path:
    """The file in which Envoy notes the connections of a load balancer."""
    return access_logs.notes(balancer, directory, kind(balancer))


def loggers(fronts: Fronts, directory: Path) -> list[Resource]:
    """What notes the connections of a listener of Envoy's.

    Of listeners that share one, all but the first have filter chains of their names.
    """
    made = []
    others = [balancer.arn for balancer, _ in fronts[1:]]
    for number, (balancer, listener) in enumerate(fronts):
        if is_logged(balancer) and listener.protocol in {"HTTP", "HTTPS", "TLS"}:
            only = _only(others, balancer.arn if number else None)
            made.append(_logger(balancer, listener, directory) | (only if others else {}))
    return made


def _logger(balancer: LoadBalancer, listener: Listener, directory: Path) -> Resource:
    shown = listener.certificates
    known = {
        "listener": listener.id,
        "port": str(listener.port),
        "protocol": listener.protocol,
        "certificate": shown[0] if len(shown) == 1 else _NONE,
    }
    return access_logs.file_logger(notes(balancer, directory), {**_NOTED, **known})


def _only(others: Sequence[str], arn: str | None) -> Resource:
    chain = "xds.filter_chain_name"
    listed = ", ".join(f"'{other}'" for other in others)
    return access_logs.filtered(f"{chain} == '{arn}'" if arn else f"!({chain} in [{listed}])")


def line(entry: Entry, balancer: str) -> str:
    """The line of a connection."""
    return _network_line(entry, balancer) if balancer.startswith("net/") else _line(entry)


def _line(entry: Entry) -> str:
    address, _, port = entry["client"].rpartition(":")
    told = entry["subject"]
    validity = f"NotBefore={entry['valid_from']};NotAfter={entry['valid_to']}"
    return " ".join(
        (
            entry["created"],
            address,
            port,
            entry["port"],
            entry["tls"] or _NONE,
            entry["cipher"] or _NONE,
            _seconds(entry["handshake_us"]),
            access_logs.quoted(told),
            validity if told else _NONE,
            (entry["serial"] or _NONE).upper(),
            _status(entry),
            # The connection's trace.
            _NONE,
        )
    )


def _status(entry: Entry) -> str:
    if entry["protocol"] != "HTTPS":
        return _NONE
    said = f"{entry['failure'] or ''} {entry['ended'] or ''}".lower()
    found = next((reason for part, reason in _REASONS if part in said), None)
    if found is None and not entry["failure"] and entry["tls"]:
        return "Success"
    return f"Failed:{found or 'UnmappedConnectionError'}"


def _network_line(entry: Entry, balancer: str) -> str:
    handshake = entry["handshake_us"]
    return " ".join(
        (
            "tls 2.0",
            entry["time"].partition(".")[0],
            balancer,
            entry["listener"],
            entry["client"],
            entry["local"],
            str(entry["lasted_ms"]),
            _NONE if handshake is None else str(handshake // 1000),
            str(entry["received"]),
            str(entry["sent"]),
            # The alert of the client.
            _NONE,
            entry["certificate"],
            # The certificate's serial number, which AWS leaves open.
            _NONE,
            entry["cipher"] or _NONE,
            (entry["tls"] or _NONE).lower().replace(".", ""),
            _NONE,
            entry["name"] or _NONE,
            # What was agreed on by ALPN, on both sides, and what the client would have liked.
            "- - -",
            entry["created"].partition(".")[0],
        )
    )


def _seconds(microseconds: int | None) -> str:
    return _NONE if microseconds is None else f"{microseconds / 1e6:.3f}"
