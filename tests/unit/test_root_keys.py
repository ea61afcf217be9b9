"""Root keys: made once, private, and seen by a server that runs."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from openecs.config import Settings
from openecs.root_keys import RootKey, RootKeys, RootKeysUnreadable, root_keys

GIVEN = RootKey(account="000000000000", access_key_id="AKIAGIVEN", secret_access_key="secret")


def test_a_key_is_made_once_and_is_private(tmp_path):
    made = RootKeys(tmp_path / "new").ensure("111122223333")
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", made.access_key_id)
    assert len(made.secret_access_key) == 40
    assert RootKeys(tmp_path / "new").ensure("111122223333") == made
    assert (tmp_path / "new/root-keys.json").stat().st_mode & 0o777 == 0o600


async def test_a_key_made_by_another_process_is_found_at_once(tmp_path):
    server = RootKeys(tmp_path)
    first = server.ensure("000000000000")
    assert (await server.find(first.access_key_id)).arn == "arn:aws:iam::000000000000:root"
    second = RootKeys(tmp_path).ensure("111122223333")
    found = await server.find(second.access_key_id)
    assert (found.account, found.secret) == ("111122223333", second.secret_access_key)
    assert await server.find("AKIANOBODY") is None
    assert {key.account for key in server.accounts()} == {"000000000000", "111122223333"}


async def test_a_key_that_was_taken_out_is_soon_forgotten(tmp_path, monkeypatch):
    server = RootKeys(tmp_path)
    key = server.ensure("000000000000").access_key_id
    monkeypatch.setattr("openecs.root_keys.LOOK_EVERY", 3600.0)
    assert await server.find(key) is not None
    (tmp_path / "root-keys.json").unlink()
    assert await server.find(key) is not None
    # A stranger's key makes it look at once.
    assert await server.find("AKIANOBODY") is None
    assert await server.find(key) is None


async def test_the_file_is_looked_at_again_after_a_while(tmp_path, monkeypatch):
    server = RootKeys(tmp_path)
    key = server.ensure("000000000000").access_key_id
    monkeypatch.setattr("openecs.root_keys.LOOK_EVERY", 0.0)
    assert await server.find(key) is not None
    (tmp_path / "root-keys.json").unlink()
    assert await server.find(key) is None


async def test_the_given_key_is_its_accounts_and_never_written(tmp_path):
    RootKeys(tmp_path).ensure("000000000000")
    before = (tmp_path / "root-keys.json").read_text()
    keys = RootKeys(tmp_path, GIVEN)
    assert keys.ensure("000000000000") == GIVEN
    assert (await keys.find("AKIAGIVEN")).secret == "secret"
    stored = json.loads(before)["000000000000"]["access_key_id"]
    assert await keys.find(stored) is None
    keys.ensure("111122223333")
    assert "AKIAGIVEN" not in (tmp_path / "root-keys.json").read_text()


def test_keys_made_at_once_are_all_kept(tmp_path):
    accounts = [f"{number:012d}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda account: RootKeys(tmp_path).ensure(account), accounts))
    assert set(RootKeys(tmp_path).accounts()) == set(made)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "root-keys.json").write_text('{"000000000000": {"acc')
    with pytest.raises(RootKeysUnreadable, match=r"root-keys\.json"):
        RootKeys(tmp_path).ensure("000000000000")


def test_the_environments_key_comes_with_the_settings(tmp_path):
    settings = Settings(
        data_dir=tmp_path,
        account_id="111122223333",
        root_access_key_id="AKIAGIVEN",
        root_secret_access_key="secret",
    )
    assert root_keys(settings).ensure("111122223333").access_key_id == "AKIAGIVEN"
