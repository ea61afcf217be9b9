"""Whatever is given for a certificate, the answer is a value: usable, or what is wrong with it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from made_certificates import make
from openecs.decide.certificates import x509
from openecs.decide.certificates.x509 import Flawed, Usable

# The library warns of what it will refuse one day.
pytestmark = pytest.mark.filterwarnings("ignore")

NOW = datetime.now(UTC)
GOOD = make("a.test", names=["a.test", "*.a.test"])
DER = GOOD.certificate.public_bytes(Encoding.DER)


def as_pem(der: bytes) -> str:
    text = b64encode(der).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


@given(st.text(), st.text(), st.none() | st.text())
def test_any_texts(certificate, key, chain):
    assert isinstance(x509.examine(certificate, key, chain, NOW), Flawed)


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_certificates_with_a_damaged_byte(place, byte):
    damaged = as_pem(DER[:place] + bytes([byte]) + DER[place + 1 :])
    for chain in (None, damaged):
        found = x509.examine(damaged, GOOD.key_pem, chain, NOW, needs_chain=False)
        assert isinstance(found, Flawed | Usable)
