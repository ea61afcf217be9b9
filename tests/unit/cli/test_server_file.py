"""Who runs in a data directory, as other processes see it."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from openecs.cli import server_file
from openecs.cli.server_file import AlreadyClaimed, Server

SERVER = Server(
    pid=os.getpid(),
    url="http://127.0.0.1:1",
    account_id="000000000000",
    region="us-east-1",
    ephemeral=False,
    has_given_key=False,
)


def test_a_server_is_seen_while_it_lives(tmp_path):
    assert server_file.running(tmp_path) is None
    with server_file.claim(tmp_path, SERVER):
        assert server_file.running(tmp_path) == SERVER
    assert server_file.running(tmp_path) is None
    assert server_file.wait_until_gone(tmp_path, 0)


def test_there_is_one_a_directory(tmp_path, monkeypatch):
    monkeypatch.setattr(server_file, "_LOOKING", 0)
    with server_file.claim(tmp_path, SERVER):
        with (
            pytest.raises(AlreadyClaimed) as caught,
            server_file.claim(tmp_path, replace(SERVER, pid=1)),
        ):
            pass
        assert caught.value.server == SERVER
        assert not server_file.wait_until_gone(tmp_path, 0)


def test_a_server_that_was_killed_is_not_believed_in(tmp_path):
    program = (
        "import os, sys, pathlib\n"
        "from openecs.cli import server_file\n"
        "server = server_file.Server(pid=os.getpid(), url='', account_id='', region='',\n"
        "    ephemeral=False, has_given_key=False)\n"
        "with server_file.claim(pathlib.Path(sys.argv[1]), server):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert (tmp_path / "server.json").stat().st_size > 0
    assert server_file.running(tmp_path) is None


def test_a_directory_of_somebody_elses_is_refused(tmp_path, monkeypatch):
    server_file.make_private(tmp_path / "own")
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    os.chown(tmp_path / "own", 12345, -1) if os.geteuid() == 0 else monkeypatch.setattr(
        "os.geteuid", lambda: 54321
    )
    with pytest.raises(PermissionError):
        server_file.make_private(tmp_path / "own")
