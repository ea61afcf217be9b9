"""The installation's own authority: what it issues, clients that trust it believe."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from openecs.authority import FILE, LocalAuthority
from openecs.decide.certificates import x509
from openecs.model.certificates import AuthorityUnavailable

NOW = datetime.now(UTC)
NAMES = ("example.test", "*.example.test")


@pytest.fixture
def authority(tmp_path):
    return LocalAuthority(tmp_path)


async def greeting(pair, trusted: str, name: str, directory) -> str:
    """What a client that trusts a certificate and expects a name hears of a server with a pair."""
    (directory / "server.pem").write_text(pair.certificate + pair.chain + pair.private_key)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(directory / "server.pem")

    async def greet(_, writer):
        writer.write(b"hello\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=serving)
    async with server:
        where = server.sockets[0].getsockname()
        client = ssl.create_default_context(cadata=trusted)
        client.verify_flags |= ssl.VERIFY_X509_STRICT
        reader, writer = await asyncio.open_connection(*where, ssl=client, server_hostname=name)
        said = (await reader.readline()).decode().strip()
        writer.close()
        return said


@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1", "EC_secp384r1"])
@pytest.mark.parametrize("name", ["example.test", "shop.example.test"])
async def test_a_client_that_trusts_the_authority_believes_the_server(
    authority, algorithm, name, tmp_path
):
    pair = authority.issue(NAMES, algorithm, NOW)
    assert await greeting(pair, authority.certificate(NOW), name, tmp_path) == "hello"


@pytest.mark.parametrize("name", ["other.test", "a.b.example.test"])
async def test_it_is_believed_for_no_other_name(authority, name, tmp_path):
    pair = authority.issue(NAMES, "EC_prime256v1", NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        await greeting(pair, authority.certificate(NOW), name, tmp_path)


async def test_who_trusts_another_authority_does_not_believe(authority, tmp_path):
    pair = authority.issue(NAMES, "EC_prime256v1", NOW)
    other = LocalAuthority(tmp_path / "other").certificate(NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeting(pair, other, "example.test", tmp_path)


def test_what_is_issued(authority):
    pair = authority.issue(NAMES, "RSA_2048", NOW)
    usable = x509.examine(pair.certificate, pair.private_key, pair.chain, NOW)
    facts = usable.facts
    assert facts.names == NAMES
    assert facts.not_before <= NOW < facts.not_after
    assert facts.not_after - facts.not_before == timedelta(days=395, seconds=-1)
    assert (facts.issuer, facts.subject) == ("OpenECS", "CN=example.test")
    assert facts.key_usages == ("DIGITAL_SIGNATURE", "KEY_ENCIPHERMENT")
    assert facts.extended_key_usages == ("1.3.6.1.5.5.7.3.1",)


def test_a_name_too_long_for_a_common_name(authority):
    name = f"{'a' * 60}.example.test"
    pair = authority.issue([name], "EC_prime256v1", NOW)
    facts = x509.facts(pair.certificate)
    assert (facts.subject, facts.names) == ("", (name,))


def test_keys_and_serial_numbers_are_new_each_time(authority):
    one, other = (authority.issue(NAMES, "EC_prime256v1", NOW) for _ in range(2))
    assert one.private_key != other.private_key
    assert x509.facts(one.certificate).serial != x509.facts(other.certificate).serial


def test_it_is_made_once_and_kept_from_others(authority, tmp_path):
    made = authority.certificate(NOW)
    assert LocalAuthority(tmp_path).certificate(NOW) == made
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [FILE]


def test_a_key_that_only_a_passphrase_opens(authority):
    pair = authority.issue(NAMES, "EC_prime256v1", NOW)
    locked = authority.encrypt(pair.private_key, b"secret")
    assert "ENCRYPTED" in locked
    opened = load_pem_private_key(locked.encode(), b"secret")
    plain = load_pem_private_key(pair.private_key.encode(), None)
    assert opened.private_numbers() == plain.private_numbers()


@pytest.mark.parametrize("text", ["nothing", "-----BEGIN PRIVATE KEY-----\n"])
def test_a_damaged_file_is_not_written_over(authority, tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(AuthorityUnavailable, match="holds no authority"):
        authority.certificate(NOW)
    assert (tmp_path / FILE).read_text() == text


def test_a_directory_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AuthorityUnavailable):
        LocalAuthority(tmp_path / "file").certificate(NOW)
