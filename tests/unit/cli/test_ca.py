"""``openecs ca``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from openecs import cli
from openecs.authority import FILE, LocalAuthority
from openecs.decide.certificates import x509


def run(monkeypatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["openecs", "ca", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_the_certificate_to_trust_and_nothing_else(monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, "--data-dir", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert printed == LocalAuthority(tmp_path).certificate(datetime.now(UTC))
    assert printed.startswith("-----BEGIN CERTIFICATE-----\n")
    assert printed.endswith("-----END CERTIFICATE-----\n")
    assert "PRIVATE" not in printed
    assert x509.facts(printed).issuer == "OpenECS"


def test_help_teaches(monkeypatch, capsys):
    assert run(monkeypatch, "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "curl --cacert ca.pem" in shown
    assert "update-ca-certificates" in shown


def test_a_damaged_authority_is_told_in_a_line(monkeypatch, capsys, tmp_path):
    (tmp_path / FILE).write_text("nothing")
    assert run(monkeypatch, "--data-dir", str(tmp_path)) == 1
    assert "holds no authority" in capsys.readouterr().err
