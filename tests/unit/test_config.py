"""Settings: what wins, what is refused, and what a message says."""

from pathlib import Path

import pytest

from openecs import config
from openecs.config import Settings, SettingsError


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No settings file is found by chance."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))


def in_file(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_defaults():
    assert config.load({}, {}) == Settings()


def test_flags_win_over_variables_over_the_file(tmp_path):
    file = in_file(tmp_path / "s.toml", 'port = 1\nregion = "eu-west-1"\naccount_id = "1"\n')
    variables = {"OPENECS_ACCOUNT_ID": "111122223333", "OPENECS_REGION": "eu-west-2"}
    settings = config.load({"region": "eu-west-3", "host": None}, variables, file)
    assert (settings.port, settings.account_id, settings.region, settings.host) == (
        1,
        "111122223333",
        "eu-west-3",
        "127.0.0.1",
    )


def test_the_file_is_looked_for_here_then_at_home(tmp_path):
    in_file(tmp_path / "home/openecs/openecs.toml", "port = 1")
    assert config.load({}, {}).port == 1
    in_file(tmp_path / "openecs.toml", "port = 2")
    assert config.load({}, {}).port == 2
    named = in_file(tmp_path / "named.toml", "port = 3")
    assert config.load({}, {"OPENECS_CONFIG": str(named)}).port == 3


def test_what_variables_and_files_can_say(tmp_path):
    file = in_file(
        tmp_path / "s.toml",
        """
        join_clusters = false
        [file_systems]
        fs-1 = "/mnt/1"
        [registry_credentials.mine]
        username = "u"
        password = "p"
        """,
    )
    settings = config.load({}, {"OPENECS_EPHEMERAL": "yes", "OPENECS_DATA_DIR": "/d"}, file)
    assert (settings.join_clusters, settings.ephemeral, settings.data_dir) == (
        False,
        True,
        Path("/d"),
    )
    assert settings.file_systems == {"fs-1": "/mnt/1"}
    assert settings.registry_credentials == {"mine": {"username": "u", "password": "p"}}


def test_file_systems_in_a_variable():
    settings = config.load({}, {"OPENECS_FILE_SYSTEMS": "fs-1=/a,fs-2=/b"})
    assert settings.file_systems == {"fs-1": "/a", "fs-2": "/b"}


@pytest.mark.parametrize(
    ("variables", "complaint"),
    [
        ({"OPENECS_PORT": "many"}, "OPENECS_PORT: 'many' is not a whole number"),
        ({"OPENECS_PORT": "70000"}, "OPENECS_PORT: 70000 is not 1 to 65535"),
        ({"OPENECS_ACCOUNT_ID": "12"}, "OPENECS_ACCOUNT_ID: '12' is not 12 digits"),
        ({"OPENECS_REGION": "mars"}, "OPENECS_REGION: 'mars' is not as us-east-1"),
        ({"OPENECS_EPHEMERAL": "maybe"}, "OPENECS_EPHEMERAL: 'maybe' is neither true nor false"),
        ({"OPENECS_RESERVED_CPU": "-1"}, "OPENECS_RESERVED_CPU: -1 is not 0 or more"),
        ({"OPENECS_SCALING_PERIOD": "7"}, "OPENECS_SCALING_PERIOD: 7 is not 10, 20, 30 or 60"),
        ({"OPENECS_SCALE_OUT_DATAPOINTS": "0"}, "OPENECS_SCALE_OUT_DATAPOINTS: 0 is not 1 to 100"),
        ({"OPENECS_LOG_LEVEL": "loud"}, "OPENECS_LOG_LEVEL: 'loud' is not debug, info, warning"),
        ({"OPENECS_FILE_SYSTEMS": "fs-1"}, "OPENECS_FILE_SYSTEMS: 'fs-1' is not of the form"),
        ({"OPENECS_FILE_SYSTEMS": "fs-1=a"}, "is not names with absolute paths"),
        ({"OPENECS_ROOT_ACCESS_KEY_ID": "AKIA"}, "goes with OPENECS_ROOT_SECRET_ACCESS_KEY"),
    ],
)
def test_a_complaint_names_where_and_what(variables, complaint):
    with pytest.raises(SettingsError, match=complaint):
        config.load({}, variables)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("prot = 1", "s.toml: prot: no such setting in a file"),
        ('root_access_key_id = "AKIA"', "root_access_key_id: no such setting in a file"),
        ("port = true", "s.toml: port: True is not a whole number"),
        ("region = 1", "s.toml: region: 1 is not a text"),
        ("port = ", "s.toml: Invalid value"),
        ('[registry_credentials]\nx = "secret"', "registry_credentials: what is given is not"),
    ],
)
def test_a_complaint_about_a_file_names_it(tmp_path, text, complaint):
    with pytest.raises(SettingsError, match=complaint):
        config.load({}, {}, in_file(tmp_path / "s.toml", text))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.toml"):
        config.load({}, {}, tmp_path / "none.toml")


def test_a_flag_that_is_wrong():
    with pytest.raises(SettingsError, match="--task-cleanup-wait: -1 is not 0 or more"):
        config.load({"task_cleanup_wait": -1}, {})


@pytest.mark.parametrize("key", ["database_url"])
def test_passwords_are_not_repeated(key):
    with pytest.raises(SettingsError) as caught:
        config.load({key: "mysql://user:hunter2@host/db"}, {})
    assert "hunter2" not in str(caught.value)


def test_secrets_are_not_shown():
    settings = Settings(
        registry_credentials={"a": {"username": "u", "password": "hunter2"}},
        root_secret_access_key="hunter2",
    )
    assert "hunter2" not in repr(settings)


def test_where_data_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Settings(data_dir=Path("/d"), ephemeral=True).directory == Path("/d")
    assert Settings(ephemeral=True, port=1).directory == tmp_path / "openecs/ephemeral-1"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert Settings().directory == Path("/var/lib/openecs")
    assert Settings().database == "sqlite:////var/lib/openecs/openecs.db"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Settings().directory == tmp_path / "openecs"
