"""Whether clients of a listener show certificates, and what becomes of these.

Elastic Load Balancing API Reference, MutualAuthenticationAttributes.
"""

from __future__ import annotations

from openecs.api.base import Call, Members
from openecs.api.elbv2 import errors, references
from openecs.model.load_balancing import Listener, MutualAuthentication
from openecs.store.base import View

_OFF, _PASSTHROUGH, _VERIFY = "off", "passthrough", "verify"
#: Of each protocol. Targets of network load balancers see no headers.
_MODES = {"HTTPS": (_OFF, _PASSTHROUGH, _VERIFY), "TLS": (_OFF, _VERIFY)}
#: What is for verified clients only.
_OF_VERIFICATION = ("TrustStoreArn", "IgnoreClientCertificateExpiry", "AdvertiseTrustStoreCaNames")


def parse(
    view: View, call: Call, protocol: str, given: Members | None, before: Listener | None = None
) -> MutualAuthentication | None:
    """What a request asks for, as it was ``before`` where it asks for nothing.

    Raises ``ValidationError``, ``InvalidConfigurationRequest``, ``TrustStoreNotFound``.
    """
    if protocol not in _MODES:
        if given and _mode(given) != _OFF:
            raise errors.invalid_configuration(
                f"Mutual authentication cannot be specified for {protocol} listeners"
            )
        return None
    if not given:
        known = before.mutual_authentication if before else None
        return known or MutualAuthentication()
    return _parse(view, call, protocol, given)


def show(listener: Listener) -> Members | None:
    """What is said of listeners that speak TLS."""
    if listener.protocol not in _MODES:
        return None
    mutual = listener.mutual_authentication or MutualAuthentication()
    return {
        "Mode": mutual.mode,
        "TrustStoreArn": mutual.trust_store_arn,
        "IgnoreClientCertificateExpiry": mutual.ignore_client_certificate_expiry,
        "AdvertiseTrustStoreCaNames": mutual.advertise_trust_store_ca_names,
    }


def _mode(given: Members) -> str:
    return given.get("Mode") or _OFF


def _parse(view: View, call: Call, protocol: str, given: Members) -> MutualAuthentication:
    mode = _mode(given)
    if mode not in _MODES[protocol]:
        listed = ", ".join(_MODES[protocol])
        raise errors.validation(f"Mutual authentication mode '{mode}' must be one of '{listed}'")
    if mode != _VERIFY:
        for member in _OF_VERIFICATION:
            if given.get(member) not in {None, "", False, "off"}:
                raise errors.validation(f"'{member}' can be specified only with mode '{_VERIFY}'")
        return MutualAuthentication(mode=mode)
    if not given.get("TrustStoreArn"):
        raise errors.validation(f"A trust store must be specified with mode '{_VERIFY}'")
    store = references.trust_store(view, call, given["TrustStoreArn"])
    if store.revocations and protocol == "TLS":
        raise errors.not_built("revocation files for TLS listeners")
    advertised = given.get("AdvertiseTrustStoreCaNames") or "off"
    if advertised not in {"on", "off"}:
        raise errors.validation("'AdvertiseTrustStoreCaNames' must be one of 'on, off'")
    return MutualAuthentication(
        mode=mode,
        trust_store_arn=store.arn,
        ignore_client_certificate_expiry=bool(given.get("IgnoreClientCertificateExpiry")),
        advertise_trust_store_ca_names=advertised,
    )
