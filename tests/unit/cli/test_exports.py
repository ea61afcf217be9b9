import json
import subprocess

import pytest

from openecs.cli.exports import Shell, render, variables
from openecs.root_keys import RootKey

KEY = RootKey(account="000000000000", access_key_id="AKIA1", secret_access_key="a/b+c'd")
GIVEN = variables("http://127.0.0.1:4566", KEY, "eu-west-1")


def test_the_variables_every_client_reads():
    assert GIVEN == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "AKIA1",
        "AWS_SECRET_ACCESS_KEY": "a/b+c'd",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }


@pytest.mark.parametrize("has_session_token", [True, False])
def test_a_shell_gets_what_was_meant(has_session_token):
    text = render(GIVEN, Shell.SH, has_session_token=has_session_token)
    done = subprocess.run(
        ["sh", "-c", f'{text}\nprintf %s "$AWS_SECRET_ACCESS_KEY$AWS_SESSION_TOKEN"'],
        env={"AWS_SESSION_TOKEN": "" if not has_session_token else "stale"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "a/b+c'd"


def test_fish():
    lines = render(GIVEN, Shell.FISH, has_session_token=True).splitlines()
    assert lines[0] == "set -gx AWS_ENDPOINT_URL http://127.0.0.1:4566;"
    assert lines[-1] == "set -e AWS_SESSION_TOKEN;"


def test_json():
    assert json.loads(render(GIVEN, Shell.JSON)) == GIVEN
