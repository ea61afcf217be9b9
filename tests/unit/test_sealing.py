"""Keys of an installation: made once, private, rotated, and never in a message."""

import base64
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openecs import sealing
from openecs.config import Settings, SettingsError, load
from openecs.model.sealing import CannotOpen
from openecs.sealing import Keys, KeysUnreadable, keys_of

ONE, OTHER = bytes(range(32)), bytes(range(1, 33))


def words(*keys):
    return " ".join(base64.b64encode(key).decode() for key in keys)


@given(st.text(), st.text())
def test_what_is_sealed_opens_again(text, about):
    keys = Keys([ONE])
    sealed = keys.close(text, about)
    assert sealed.startswith(keys.prefix)
    assert keys.open(sealed, about) == text


def test_a_sealed_text_opens_in_its_own_place_only():
    keys = Keys([ONE])
    with pytest.raises(CannotOpen, match="altered"):
        keys.open(keys.close("secret", "here"), "there")


@pytest.mark.parametrize("tail", ["", "AAAA", "?", "A" * 60])
def test_a_text_that_was_altered_does_not_open(tail):
    keys = Keys([ONE])
    with pytest.raises(CannotOpen, match="altered"):
        keys.open(keys.prefix + tail, "here")


def test_old_keys_open_and_the_first_seals():
    old = Keys([ONE]).close("secret", "here")
    both = Keys([OTHER, ONE])
    assert both.open(old, "here") == "secret"
    new = both.close("secret", "here")
    assert Keys([OTHER]).open(new, "here") == "secret"
    with pytest.raises(CannotOpen, match="the keys here are"):
        Keys([ONE]).open(new, "here")


def test_a_key_is_made_once_and_is_private(tmp_path):
    settings = Settings(data_dir=tmp_path / "data")
    sealed = keys_of(settings).close("secret", "here")
    assert keys_of(settings).open(sealed, "here") == "secret"
    assert (tmp_path / "data" / sealing.FILE).stat().st_mode & 0o777 == 0o600


def test_keys_are_given_from_outside(tmp_path):
    file = tmp_path / "keys"
    file.write_text(words(ONE).replace(" ", "\n"))
    sealed = Keys([ONE]).close("secret", "here")
    by_file = Settings(data_dir=tmp_path / "data", encryption_keys_file=file)
    by_environment = load({}, {"OPENECS_ENCRYPTION_KEYS": words(OTHER, ONE)})
    for settings in (by_file, by_environment):
        assert keys_of(settings).open(sealed, "here") == "secret"
    assert not (tmp_path / "data").exists()
    assert words(ONE) not in repr(by_environment)


@pytest.mark.parametrize("bad", ["not base64!", words(b"short"), "\u00e9", " "])
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path, bad):
    with pytest.raises(KeysUnreadable) as caught:
        keys_of(dataclasses.replace(Settings(data_dir=tmp_path), encryption_keys=bad))
    assert bad.strip() == "" or bad not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KeysUnreadable, match="nowhere"):
        keys_of(Settings(data_dir=tmp_path, encryption_keys_file=tmp_path / "nowhere"))


def test_keys_do_not_come_from_the_settings_file(tmp_path):
    file = tmp_path / "openecs.toml"
    file.write_text(f'encryption_keys = "{words(ONE)}"')
    with pytest.raises(SettingsError, match="no such setting in a file"):
        load({}, {}, file)
