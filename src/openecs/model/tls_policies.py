"""The security policies of listeners: which versions of TLS and which ciphers clients may use.

User Guide for Application Load Balancers, "Security policies for your Application Load Balancer".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"

#: What TLS listeners of network load balancers say is spoken inside, what is preferred first.
#: User Guide for Network Load Balancers, "ALPN policies".
ALPN_POLICIES: Mapping[str, tuple[str, ...]] = {
    "HTTP1Only": ("http/1.1", "http/1.0"),
    "HTTP2Only": ("h2",),
    "HTTP2Optional": ("http/1.1", "http/1.0", "h2"),
    "HTTP2Preferred": ("h2", "http/1.1", "http/1.0"),
    "None": (),
}

_TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
_FIPS13 = _TLS13[:2]
_GCM = tuple(
    f"ECDHE-{key}-{suite}"
    for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
    for key in ("ECDSA", "RSA")
)
_SHA2 = tuple(
    f"ECDHE-{key}-{suite}"
    for suite in ("AES128-SHA256", "AES256-SHA384")
    for key in ("ECDSA", "RSA")
)
_SHA1 = tuple(
    f"ECDHE-{key}-{suite}" for suite in ("AES128-SHA", "AES256-SHA") for key in ("ECDSA", "RSA")
)
#: Without forward secrecy.
_PLAIN = ("AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256")
_PLAIN_SHA1 = ("AES128-SHA", "AES256-SHA")

#: In this order they are preferred.
_ORDER = (
    *_TLS13,
    *_GCM[:2],
    *_SHA2[:2],
    *_SHA1[:2],
    *_GCM[2:],
    *_SHA2[2:],
    *_SHA1[2:],
    "AES128-GCM-SHA256",
    "AES128-SHA256",
    "AES128-SHA",
    "AES256-GCM-SHA384",
    "AES256-SHA256",
    "AES256-SHA",
    "DES-CBC3-SHA",
)
_FORWARD = (*_GCM, *_SHA2, *_SHA1)
_ALL = (*_FORWARD, *_PLAIN, *_PLAIN_SHA1)


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """A security policy; what is preferred comes first in both."""

    name: str
    #: ``TLSv1.3``, ``TLSv1.2``, ``TLSv1.1``, ``TLSv1``.
    protocols: tuple[str, ...]
    #: By their names in OpenSSL.
    ciphers: tuple[str, ...]

    @property
    def is_post_quantum(self) -> bool:
        """Whether keys are agreed on with ML-KEM as well, where the client can."""
        return "-PQ-" in self.name


def _policy(name: str, newest: int, oldest: int, *ciphers: str) -> TlsPolicy:
    """A policy from TLS 1.``newest`` down to TLS 1.``oldest``."""
    versions = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
    return TlsPolicy(
        name=f"ELBSecurityPolicy-{name}",
        protocols=tuple(reversed(versions[oldest : newest + 1])),
        ciphers=tuple(sorted(ciphers, key=_ORDER.index)),
    )


_EXT1 = (*_GCM, *_SHA2, *_PLAIN)

POLICIES: Mapping[str, TlsPolicy] = {
    policy.name: policy
    for policy in (
        _policy("TLS13-1-3-2021-06", 3, 3, *_TLS13),
        _policy("TLS13-1-3-PQ-2025-09", 3, 3, *_TLS13),
        _policy("TLS13-1-2-Res-2021-06", 3, 2, *_TLS13, *_GCM),
        _policy("TLS13-1-2-Res-PQ-2025-09", 3, 2, *_TLS13, *_GCM),
        _policy("TLS13-1-2-2021-06", 3, 2, *_TLS13, *_GCM, *_SHA2),
        _policy("TLS13-1-2-PQ-2025-09", 3, 2, *_TLS13, *_GCM, *_SHA2),
        _policy("TLS13-1-2-Ext1-2021-06", 3, 2, *_TLS13, *_EXT1),
        _policy("TLS13-1-2-Ext1-PQ-2025-09", 3, 2, *_TLS13, *_EXT1),
        _policy("TLS13-1-2-Ext2-2021-06", 3, 2, *_TLS13, *_ALL),
        _policy("TLS13-1-2-Ext2-PQ-2025-09", 3, 2, *_TLS13, *_ALL),
        _policy("TLS13-1-1-2021-06", 3, 1, *_TLS13, *_ALL),
        _policy("TLS13-1-0-2021-06", 3, 0, *_TLS13, *_ALL),
        _policy("TLS13-1-0-PQ-2025-09", 3, 0, *_TLS13, *_ALL),
        _policy("TLS13-1-3-FIPS-2023-04", 3, 3, *_FIPS13),
        _policy("TLS13-1-2-Res-FIPS-2023-04", 3, 2, *_FIPS13, *_GCM),
        _policy("TLS13-1-2-FIPS-2023-04", 3, 2, *_FIPS13, *_GCM, *_SHA2),
        _policy("TLS13-1-2-Ext0-FIPS-2023-04", 3, 2, *_FIPS13, *_FORWARD),
        _policy("TLS13-1-2-Ext1-FIPS-2023-04", 3, 2, *_FIPS13, *_EXT1),
        _policy("TLS13-1-2-Ext2-FIPS-2023-04", 3, 2, *_FIPS13, *_ALL),
        _policy("TLS13-1-1-FIPS-2023-04", 3, 1, *_FIPS13, *_ALL),
        _policy("TLS13-1-0-FIPS-2023-04", 3, 0, *_FIPS13, *_ALL),
        _policy("TLS13-1-3-FIPS-PQ-2025-09", 3, 3, *_FIPS13),
        _policy("TLS13-1-2-Res-FIPS-PQ-2025-09", 3, 2, *_FIPS13, *_GCM),
        _policy("TLS13-1-2-FIPS-PQ-2025-09", 3, 2, *_FIPS13, *_GCM, *_SHA2),
        _policy("TLS13-1-2-Ext0-FIPS-PQ-2025-09", 3, 2, *_FIPS13, *_FORWARD),
        _policy("TLS13-1-2-Ext1-FIPS-PQ-2025-09", 3, 2, *_FIPS13, *_EXT1),
        _policy("TLS13-1-2-Ext2-FIPS-PQ-2025-09", 3, 2, *_FIPS13, *_ALL),
        _policy("TLS13-1-0-FIPS-PQ-2025-09", 3, 0, *_FIPS13, *_ALL),
        _policy("FS-1-2-Res-2020-10", 2, 2, *_GCM),
        _policy("FS-1-2-Res-2019-08", 2, 2, *_GCM, *_SHA2),
        _policy("FS-1-2-2019-08", 2, 2, *_FORWARD),
        _policy("FS-1-1-2019-08", 2, 1, *_FORWARD),
        _policy("FS-2018-06", 2, 0, *_FORWARD),
        _policy("TLS-1-2-2017-01", 2, 2, *_EXT1),
        _policy("TLS-1-2-Ext-2018-06", 2, 2, *_ALL),
        _policy("TLS-1-1-2017-01", 2, 1, *_ALL),
        _policy("2016-08", 2, 0, *_ALL),
        _policy("2015-05", 2, 0, *_ALL),
        _policy("TLS-1-0-2015-04", 2, 0, *_ALL, "DES-CBC3-SHA"),
    )
}
