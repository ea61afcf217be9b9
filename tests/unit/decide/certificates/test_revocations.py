from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_crl

from made_certificates import make, revoking
from openecs.decide.certificates.revocations import number_of_entries, revocation_lists, revoked

ROOT, OTHER = make("root", ca=True), make("other", ca=True)
ONE, TWO = make("one", by=ROOT), make("two", by=OTHER)
STORE = (ROOT.pem, OTHER.pem)


def fingerprint(made) -> str:
    return made.certificate.fingerprint(SHA256()).hex()


def serial(made) -> str:
    digits = f"{made.certificate.serial_number:x}"
    return digits.zfill(len(digits) + len(digits) % 2)


def test_a_file_has_lists_of_several_authorities() -> None:
    lists = revocation_lists(revoking(ROOT, ONE) + b"# more\n" + revoking(OTHER, TWO), STORE)
    assert number_of_entries(lists) == 2
    assert revoked(lists, STORE) == {
        (fingerprint(ROOT), serial(ONE)),
        (fingerprint(OTHER), serial(TWO)),
    }
    assert revoked(lists, (ROOT.pem,)) == {(fingerprint(ROOT), serial(ONE))}


def test_a_list_may_be_binary() -> None:
    pem = revoking(ROOT, ONE)
    binary = load_pem_x509_crl(pem).public_bytes(Encoding.DER)
    assert revocation_lists(binary, STORE) == (pem.decode(),)


def test_an_authority_with_two_certificates_revokes_by_both() -> None:
    crossed = make("root", by=OTHER, key=ROOT.key, ca=True)
    lists = revocation_lists(revoking(ROOT, ONE), (ROOT.pem, crossed.pem))
    issuers = {issuer for issuer, _ in revoked(lists, (ROOT.pem, crossed.pem))}
    assert issuers == {fingerprint(ROOT), fingerprint(crossed)}


def test_what_is_no_list_of_the_authorities() -> None:
    impostor = make("root", ca=True)
    for content in (b"", b"x", ROOT.pem.encode(), revoking(impostor, ONE), revoking(ONE, TWO)):
        assert revocation_lists(content, STORE) is None
    assert revocation_lists(revoking(ROOT, ONE) + revoking(impostor, ONE), STORE) is None
