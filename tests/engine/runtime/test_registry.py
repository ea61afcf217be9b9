"""Pulls from a registry that asks for a password, on this machine."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from engine.runtime.conftest import docker, waits
from openecs.runtime.base import CannotPullContainer, PullBehavior, RegistryAuth

AUTH = RegistryAuth(username="someone", password="secret")
PORT = 61_917
HOST = f"127.0.0.1:{PORT}"
CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{host}"}}
log: {{level: error}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """An image in a registry; its name."""
    if not shutil.which("docker-registry") or not shutil.which("htpasswd"):
        pytest.skip("needs the packages docker-registry and apache2-utils")
    folder = tmp_path_factory.mktemp("registry")
    made = subprocess.run(
        ["htpasswd", "-Bbn", AUTH.username, AUTH.password], capture_output=True, check=True
    )
    (folder / "htpasswd").write_bytes(made.stdout.strip())
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, host=HOST))
    server = subprocess.Popen(
        ["docker-registry", "serve", str(folder / "config.yml")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answers()
        yield pushed(folder)
    finally:
        server.terminate()
        server.wait(10)


def answers() -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(f"http://{HOST}/v2/", timeout=2)
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def pushed(folder) -> str:
    image = f"{HOST}/team/app:1"
    docker("tag", "busybox", image)
    subprocess.run(
        ["docker", "--config", str(folder), "login", "-u", AUTH.username, "--password-stdin", HOST],
        input=AUTH.password.encode(),
        capture_output=True,
        check=True,
    )
    docker("--config", str(folder), "push", "-q", image)
    docker("rmi", image)
    return image


@pytest.fixture
def image(registry):
    """The image's name; the engine does not have it before or after."""
    yield registry
    subprocess.run(["docker", "rmi", "-f", registry], capture_output=True, check=False)


async def test_a_private_image_runs(engine, image):
    await engine.runtime.pull(image, PullBehavior.PREFER_CACHED, AUTH)
    task = await engine.run(waits(image=image))
    observed = await task.observed()
    [digest] = json.loads(docker("image", "inspect", "-f", "{{json .RepoDigests}}", image))
    assert observed.image_digest == digest.partition("@")[2]


@pytest.mark.parametrize("auth", [None, RegistryAuth(username="someone", password="wrong")])
async def test_without_the_password_it_is_refused_at_once(engine, image, auth):
    before = time.monotonic()
    with pytest.raises(CannotPullContainer, match=r"(?i)no basic auth|unauthorized"):
        await engine.runtime.pull(image, PullBehavior.ALWAYS, auth)
    assert time.monotonic() - before < 5


@pytest.mark.usefixtures("registry")
async def test_an_image_the_registry_does_not_have(engine):
    with pytest.raises(CannotPullContainer, match=r"manifest unknown|not found"):
        await engine.runtime.pull(f"{HOST}/team/none:1", PullBehavior.DEFAULT, AUTH)


async def test_default_falls_back_to_the_image_at_hand(engine, image):
    await engine.runtime.pull(image, PullBehavior.ALWAYS, AUTH)
    await engine.runtime.pull(image, PullBehavior.DEFAULT, None)
    await engine.runtime.pull(image, PullBehavior.PREFER_CACHED, None)
    with pytest.raises(CannotPullContainer):
        await engine.runtime.pull(image, PullBehavior.ALWAYS, None)


async def test_once_pulls_once(engine, image):
    await engine.runtime.pull(image, PullBehavior.ONCE, AUTH)
    await engine.runtime.pull(image, PullBehavior.ONCE, None)
