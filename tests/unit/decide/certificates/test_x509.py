"""What is read in certificates, and which are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from made_certificates import elliptic, make, rsa_key
from openecs.decide.certificates import x509
from openecs.decide.certificates.x509 import Flaw, Flawed, Usable

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def root():
    return make("Root")


@pytest.fixture(scope="module")
def middle(root):
    return make("Middle", by=root)


@pytest.fixture(scope="module")
def leaf(middle):
    return make("a.test", by=middle, names=["a.test", "*.a.test"])


def flaw(*given) -> Flaw:
    found = x509.examine(*given, NOW)
    assert isinstance(found, Flawed)
    return found.flaw


def test_what_a_certificate_says(leaf, middle, root):
    found = x509.examine(leaf.pem, leaf.key_pem, middle.pem + root.pem, NOW)
    assert isinstance(found, Usable)
    assert found.facts.names == ("a.test", "*.a.test")
    assert (found.facts.subject, found.facts.issuer) == ("CN=a.test", "Middle")
    assert (found.facts.key_algorithm, found.facts.signature_algorithm) == (
        "EC_prime256v1",
        "SHA256WITHECDSA",
    )
    assert int(found.facts.serial.replace(":", ""), 16) == leaf.certificate.serial_number
    assert found.key_pair.chain == middle.pem + root.pem


@pytest.mark.parametrize(
    ("key", "algorithm", "signature"),
    [
        (lambda: rsa_key(2048), "RSA_2048", "SHA256WITHRSA"),
        (lambda: elliptic(ec.SECP384R1), "EC_secp384r1", "SHA256WITHECDSA"),
        (lambda: elliptic(ec.SECP521R1), "EC_secp521r1", "SHA256WITHECDSA"),
    ],
)
def test_a_self_signed_one_needs_no_chain(key, algorithm, signature):
    own = make(key=key())
    found = x509.examine(own.pem, own.key_pem, None, NOW)
    assert isinstance(found, Usable)
    assert found.key_pair.chain is None
    assert found.facts.names == ("a.test",)
    assert found.facts.key_algorithm == algorithm
    assert found.facts.signature_algorithm == signature
    assert x509.facts(own.pem) == found.facts


def test_texts_that_are_no_certificates(leaf, middle):
    assert flaw("no", leaf.key_pem, None) is Flaw.CERTIFICATE_NOT_PEM
    assert flaw(leaf.pem + middle.pem, leaf.key_pem, None) is Flaw.SEVERAL_CERTIFICATES
    assert flaw(leaf.pem, "no", middle.pem) is Flaw.KEY_NOT_PEM
    assert flaw(leaf.pem, leaf.locked_key_pem, middle.pem) is Flaw.KEY_ENCRYPTED
    assert flaw(leaf.pem, leaf.key_pem, "no") is Flaw.CHAIN_NOT_PEM


def test_keys_that_do_not_fit(leaf, middle):
    other = ed25519.Ed25519PrivateKey.generate()
    odd = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    small = make(key=elliptic(ec.SECP224R1))
    uncommon = make(key=rsa_key(1536))
    assert flaw(leaf.pem, middle.key_pem, middle.pem) is Flaw.KEY_MISMATCH
    assert flaw(leaf.pem, odd, middle.pem) is Flaw.KEY_KIND
    assert flaw(small.pem, small.key_pem, None) is Flaw.KEY_LENGTH
    assert flaw(uncommon.pem, uncommon.key_pem, None) is Flaw.KEY_LENGTH


@pytest.mark.parametrize(
    ("start", "expected"),
    [(timedelta(days=1), Flaw.NOT_YET_VALID), (timedelta(days=-91), Flaw.EXPIRED)],
)
def test_certificates_out_of_their_time(start, expected):
    own = make(start=NOW + start)
    assert flaw(own.pem, own.key_pem, None) is expected


def test_chains_that_do_not_hold(leaf, middle, root):
    assert flaw(leaf.pem, leaf.key_pem, None) is Flaw.CHAIN_MISSING
    assert flaw(leaf.pem, leaf.key_pem, root.pem) is Flaw.CHAIN_OF_ANOTHER
    broken = x509.examine(leaf.pem, leaf.key_pem, middle.pem + make("Root").pem, NOW)
    assert broken == Flawed(flaw=Flaw.CHAIN_BROKEN, index=1)


def test_a_chain_may_be_left_out_where_nobody_asks_for_it(leaf):
    found = x509.examine(leaf.pem, leaf.key_pem, None, NOW, needs_chain=False)
    assert isinstance(found, Usable)
