"""Which server a command is about."""

from dataclasses import replace
from pathlib import Path

import pytest

from openecs.cli import installation, server_file
from openecs.cli.failure import Failure
from openecs.cli.server_file import Server
from openecs.config import Settings

pytestmark = pytest.mark.usefixtures("home")

SERVER = Server(
    pid=1,
    url="http://127.0.0.1:4566",
    account_id="111122223333",
    region="eu-west-1",
    ephemeral=False,
    has_given_key=False,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for variable in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    return tmp_path


def lives(server: Server, directory: Path):
    directory.mkdir(parents=True, exist_ok=True)
    return server_file.claim(directory, server)


def test_the_data_directorys_server_whatever_its_port():
    with lives(replace(SERVER, url="http://127.0.0.1:5000"), Settings().directory):
        found = installation.find({}, None, {})
    assert (found.url, found.region, found.account_id) == (
        "http://127.0.0.1:5000",
        "eu-west-1",
        "111122223333",
    )


def test_a_port_that_is_named_is_meant():
    with lives(SERVER, Settings().directory):
        assert installation.find({"port": 5000}, None, {}).server is None
        assert installation.find({"port": 4566}, None, {}).server == SERVER


def test_an_ephemeral_server_is_found_by_its_port():
    ephemeral = replace(SERVER, ephemeral=True, url="http://127.0.0.1:5000")
    with lives(ephemeral, Settings(ephemeral=True, port=5000).directory):
        found = installation.find({"port": 5000}, None, {})
        assert found.server == ephemeral
        assert found.settings.ephemeral


def test_where_none_runs():
    found = installation.find({}, None, {"OPENECS_PORT": "5000"})
    assert found.url == "http://127.0.0.1:5000"
    with pytest.raises(Failure, match="openecs up") as caught:
        found.running()
    assert caught.value.status == 3


def test_a_key_the_server_alone_knows():
    directory = Settings().directory
    with lives(replace(SERVER, has_given_key=True), directory):
        found = installation.find({}, None, {})
        with pytest.raises(Failure, match="OPENECS_ROOT_ACCESS_KEY_ID"):
            found.key("111122223333")
        assert found.key("000000000000").account == "000000000000"
        known = installation.find(
            {},
            None,
            {
                "OPENECS_ROOT_ACCESS_KEY_ID": "AKIA1",
                "OPENECS_ROOT_SECRET_ACCESS_KEY": "s",
                "OPENECS_ACCOUNT_ID": "111122223333",
            },
        )
        assert known.key("111122223333").access_key_id == "AKIA1"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4566"),
        ("0.0.0.0", "http://127.0.0.1:4566"),
        ("::", "http://[::1]:4566"),
        ("fe80::1", "http://[fe80::1]:4566"),
        ("build.example", "http://build.example:4566"),
    ],
)
def test_where_clients_find_it(host, url):
    assert installation.url(Settings(host=host)) == url
