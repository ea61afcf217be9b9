from __future__ import annotations

from made_certificates import make
from openecs.decide.certificates.authorities import authorities

ROOT, OTHER = make("root", ca=True), make("other", ca=True)


def test_a_bundle_has_each_authority_once_whatever_is_between() -> None:
    bundle = f"# ours\n{ROOT.pem}\n# theirs\n{OTHER.pem}{ROOT.pem}"
    assert authorities(bundle.encode()) == (ROOT.pem, OTHER.pem)


def test_what_is_no_bundle() -> None:
    assert authorities(b"") is None
    assert authorities(b"no certificate") is None
    assert authorities((ROOT.pem + make("server").pem).encode()) is None
    assert authorities(ROOT.pem.replace("M", "!").encode()) is None
    assert authorities(ROOT.key_pem.encode()) is None
    assert authorities(b"\xff") is None
