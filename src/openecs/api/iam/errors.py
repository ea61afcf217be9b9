"""IAM's errors, in its words."""

from __future__ import annotations

from openecs.api.base import ServiceError
from openecs.decide.certificates.x509 import Flaw, Flawed

_CHAIN = (
    "Unable to validate certificate chain. The certificate chain must start with the immediate "
    "signing certificate, followed by any intermediaries in order. The index within the chain of "
    "the invalid certificate is: {index}"
)
_MALFORMED = {
    Flaw.CERTIFICATE_NOT_PEM: "Unable to parse certificate. Please make sure the certificate is in "
    "PEM format.",
    Flaw.SEVERAL_CERTIFICATES: "The certificate body contains more than one certificate.",
    Flaw.KEY_NOT_PEM: "Unable to parse private key. Please make sure the key is in PEM format.",
    Flaw.KEY_ENCRYPTED: "Unable to parse private key. The key must not be encrypted.",
    Flaw.KEY_LENGTH: "The length of the private key is not supported.",
    Flaw.KEY_KIND: "The algorithm of the private key is not supported.",
    Flaw.NOT_YET_VALID: "The certificate is not valid yet.",
    Flaw.EXPIRED: "The certificate has expired.",
    Flaw.CHAIN_NOT_PEM: "Unable to parse certificate chain. Please make sure the chain is in PEM "
    "format.",
    Flaw.CHAIN_OF_ANOTHER: _CHAIN,
    Flaw.CHAIN_BROKEN: _CHAIN,
}


def flawed(found: Flawed) -> ServiceError:
    """A certificate, key or chain that cannot be kept."""
    if found.flaw is Flaw.KEY_MISMATCH:
        message = "Private key does not match the public key in the certificate."
        return ServiceError("KeyPairMismatch", message)
    message = _MALFORMED[found.flaw].format(index=found.index)
    return ServiceError("MalformedCertificate", message)


def no_such_server_certificate(name: str) -> ServiceError:
    """There is none of that name."""
    message = f"The Server Certificate with name {name} cannot be found."
    return ServiceError("NoSuchEntity", message)


def server_certificate_exists(name: str) -> ServiceError:
    """The name is taken."""
    message = f"The Server Certificate with name {name} already exists."
    return ServiceError("EntityAlreadyExists", message)


def server_certificate_in_use(certificate_id: str, user: str) -> ServiceError:
    """A listener uses it."""
    message = (
        f"Certificate: {certificate_id} is currently in use by {user}. "
        "Please remove it first before deleting it from IAM."
    )
    return ServiceError("DeleteConflict", message)


def invalid_input(message: str) -> ServiceError:
    """A member of the request that may not be so."""
    return ServiceError("InvalidInput", message)


def limit_exceeded(message: str) -> ServiceError:
    """More than IAM's quotas allow."""
    return ServiceError("LimitExceeded", message)


def invalid_marker() -> ServiceError:
    """A marker that no listing gave."""
    return ServiceError("ValidationError", "Invalid Marker.")


def validation(message: str) -> ServiceError:
    """A request that is not as it must be."""
    return ServiceError("ValidationError", message)


def no_such(word: str, name: str) -> ServiceError:
    """There is no ``role`` of that name."""
    return ServiceError("NoSuchEntity", f"The {word} with name {name} cannot be found.")


def exists(word: str, name: str) -> ServiceError:
    """The name is taken."""
    return ServiceError("EntityAlreadyExists", f"{word} with name {name} already exists.")


def missing(message: str) -> ServiceError:
    """What is named is not there."""
    return ServiceError("NoSuchEntity", message)


def conflict(message: str) -> ServiceError:
    """It cannot be deleted as it is."""
    return ServiceError("DeleteConflict", message)


def malformed_policy(message: str) -> ServiceError:
    """The document is no policy."""
    return ServiceError("MalformedPolicyDocument", message)


def unmodifiable(message: str) -> ServiceError:
    """It belongs to a service, or to AWS."""
    return ServiceError("UnmodifiableEntity", message)


def access_denied(message: str) -> ServiceError:
    """What nobody may."""
    return ServiceError("AccessDenied", message)


def policy_exists(name: str) -> ServiceError:
    """The name of a managed policy is taken."""
    message = f"A policy called {name} already exists. Duplicate names are not allowed."
    return ServiceError("EntityAlreadyExists", message)


def already_exists(message: str) -> ServiceError:
    """The name is taken, in a message of its own."""
    return ServiceError("EntityAlreadyExists", message)
