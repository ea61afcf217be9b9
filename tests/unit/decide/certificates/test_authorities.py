from __future__ import annotations

from made_certificates import make
from openecs.decide.certificates.authorities import authorities

ROOT, OTHER = make("root", ca=True), make("other", ca=True)


def test_a_bundle_has_each_authority_once_whatever_is_between() -> None:
    bundle = f"# ours\n{ROOT.pem}\n# theirs\n{OTHER.pem}{ROOT.pem}"
    assert authorities(bundle) == (ROOT.pem, OTHER.pem)


def test_what_is_no_bundle() -> None:
    assert authorities("") is None
    assert authorities("no certificate") is None
    assert authorities(ROOT.pem + make("server").pem) is None
    assert authorities(ROOT.pem.replace("M", "!")) is None
    assert authorities(ROOT.key_pem) is None
