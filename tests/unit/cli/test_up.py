"""The flags of ``openecs up``: each setting has one, with its meaning."""

import inspect
from dataclasses import fields

import pytest

from openecs import cli
from openecs.cli import settings_text
from openecs.cli.up import up
from openecs.config import ENVIRONMENT_ONLY, FILE_ONLY, Settings


def test_every_setting_has_a_flag_unless_it_must_not():
    flags = set(inspect.signature(up).parameters) - {"config_file"}
    assert flags == {entry.name for entry in fields(Settings)} - FILE_ONLY - ENVIRONMENT_ONLY


def test_every_setting_says_what_it_means():
    assert set(settings_text.meanings()) == {entry.name for entry in fields(Settings)}
    assert settings_text.defaults()["port"] == "4566"
    assert settings_text.defaults()["ephemeral"] == "false"


def run(monkeypatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr("sys.argv", ["openecs", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_a_wrong_setting_is_told_in_a_line(monkeypatch, capsys):
    assert run(monkeypatch, "up", "--account-id", "12") == 2
    assert capsys.readouterr().err == "openecs: --account-id: '12' is not 12 digits\n"


def test_a_place_that_cannot_be_written(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()
    assert run(monkeypatch, "up", "--data-dir", str(tmp_path / "file" / "data")) == 1
    assert "--data-dir" in capsys.readouterr().err


def test_commands_without_a_server_say_how_to_start_one(monkeypatch, capsys, tmp_path):
    for command in ("status", "down", "reset"):
        assert run(monkeypatch, command, "--data-dir", str(tmp_path)) == 3
        assert "openecs up" in capsys.readouterr().err


def test_env_before_the_first_start(monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, "env", "--data-dir", str(tmp_path), "--port", "5000") == 0
    shown = capsys.readouterr()
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:5000\n" in shown.out
    assert "No server runs" in shown.err


def test_an_account_is_12_digits(monkeypatch, capsys, tmp_path):
    assert run(monkeypatch, "env", "--data-dir", str(tmp_path), "--account-id", "1") == 2
    assert "12 digits" in capsys.readouterr().err


def test_the_version(monkeypatch, capsys):
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.startswith("openecs 0.1.0")
