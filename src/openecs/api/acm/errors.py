"""ACM's errors, in its words."""

from __future__ import annotations

from openecs.api.base import ServiceError
from openecs.decide.certificates.x509 import Flaw, Flawed

_FLAWS = {
    Flaw.CERTIFICATE_NOT_PEM: (
        "Unable to parse certificate. Please make sure the certificate is in PEM format."
    ),
    Flaw.SEVERAL_CERTIFICATES: (
        "The certificate field contains more than one certificate. You can specify only one "
        "certificate in this field."
    ),
    Flaw.KEY_NOT_PEM: "The private key is not PEM-encoded or is not valid.",
    Flaw.KEY_ENCRYPTED: "Your private key should not be encrypted.",
    Flaw.KEY_LENGTH: "The private key length is not supported for key algorithm.",
    Flaw.KEY_KIND: "The private key is not supported.",
    Flaw.KEY_MISMATCH: "The private key does not match the certificate.",
    Flaw.NOT_YET_VALID: "The certificate is not in effect yet, is not valid.",
    Flaw.EXPIRED: "The certificate has expired, is not valid.",
    Flaw.CHAIN_NOT_PEM: (
        "Unable to parse certificate chain. Please make sure the certificate chain is in PEM "
        "format."
    ),
    Flaw.CHAIN_MISSING: (
        "Provided certificate is not a valid self signed. Please provide either a valid "
        "self-signed certificate or certificate chain."
    ),
    Flaw.CHAIN_OF_ANOTHER: "Could not validate the certificate with the certificate chain.",
    Flaw.CHAIN_BROKEN: (
        "Unable to validate certificate chain. The certificate chain must start with the immediate "
        "signing certificate, followed by any intermediaries in order. The index within the chain "
        "of the invalid certificate is: {index}"
    ),
}


def validation(message: str) -> ServiceError:
    """A request that fits the model and cannot be fulfilled."""
    return ServiceError("ValidationException", message)


def invalid_parameter(message: str) -> ServiceError:
    """A member of the request that may not be so."""
    return ServiceError("InvalidParameterException", message)


def invalid_state(message: str) -> ServiceError:
    """The certificate is in no state for that."""
    return ServiceError("InvalidStateException", message)


def flawed(found: Flawed) -> ServiceError:
    """A certificate, key or chain that cannot be imported."""
    return validation(_FLAWS[found.flaw].format(index=found.index))


def invalid_arn(arn: str) -> ServiceError:
    """What is given as an ARN names no certificate."""
    return ServiceError("InvalidArnException", f"The ARN {arn} is not a certificate's.")


def not_found(arn: str, account: str) -> ServiceError:
    """There is no such certificate."""
    message = f"Could not find certificate {arn} in account {account}."
    return ServiceError("ResourceNotFoundException", message)


def in_use(arn: str, account: str) -> ServiceError:
    """A listener uses the certificate."""
    message = f"Certificate {arn} in account {account} is in use."
    return ServiceError("ResourceInUseException", message)
