"""ExecuteCommand into real containers, with the plugin's side of the protocol."""

from __future__ import annotations

import asyncio

import pytest
from botocore.exceptions import ClientError

from openecs_server import containers_of, docker, eventually
from session_plugin import Plugin
from tasks import WAITS, Tasks

pytestmark = pytest.mark.system


def run_enabled(tasks):
    definition = tasks.register(WAITS)
    return tasks.start(definition, enableExecuteCommand=True)


@pytest.fixture
def task(tasks):
    arn = run_enabled(tasks)
    tasks.running(arn)
    yield arn
    tasks.stop(arn)


def session(tasks, task, command="sh"):
    answer = tasks.ecs.execute_command(
        cluster=tasks.cluster, task=task, command=command, interactive=True
    )
    assert answer["containerName"] == "app"
    return answer["session"]


def processes(task):
    (container,) = containers_of(task)
    return docker("top", container, "-o", "pid,args")


@pytest.mark.covers("ecs:ExecuteCommand")
async def test_a_shell_with_a_terminal(tasks, task):
    (agent,) = tasks.describe(task)["containers"][0]["managedAgents"]
    assert (agent["name"], agent["lastStatus"]) == ("ExecuteCommandAgent", "RUNNING")
    given = session(tasks, task)
    async with Plugin(given) as plugin:
        await plugin.resize(33, 111)
        await plugin.shows(b"# ")
        await plugin.type(b"tty; stty size\n")
        await plugin.shows(b"33 111")
        assert b"/dev/pts/" in plugin.output
        await plugin.type(b"echo bu''sy; cat\n")
        await plugin.shows(b"busy")
        # Once by the terminal and once by cat, which then runs.
        await plugin.type(b"meow\n")
        await plugin.until(lambda p: p.output.count(b"meow") == 2)
        await plugin.type(b"\x03")
        await plugin.until(lambda p: b"# " in p.output.rpartition(b"busy")[2])
        await plugin.type(b"exit 3\n")
        await plugin.ended()
        assert plugin.closed["SessionId"] == given["sessionId"]
    async with Plugin(given) as again:
        await again.ended()
        assert again.output == b""


async def test_much_output_arrives_whole_though_messages_get_lost(tasks, task):
    count = 1_000_000
    given = session(tasks, task, f"sh -c 'stty -opost; seq 1 {count}'")
    async with Plugin(given) as plugin, Plugin(session(tasks, task, "cat")) as other:
        await other.type(b"here\n")
        await plugin.ended()
        assert plugin.output.split() == [b"%d" % n for n in range(1, count + 1)]
        await other.shows(b"here")
    async with Plugin(session(tasks, task, "cat"), drop_every=3) as plugin:
        for number in range(20):
            await plugin.type(b"[%d]\n" % number)
        await plugin.until(lambda p: p.output.count(b"[19]") == 2)
        assert [plugin.output.count(b"[%d]" % n) for n in range(20)] == [2] * 20


async def test_a_session_that_ends_takes_its_command_along(tasks, task):
    def is_there():
        return "sleep 4321" in processes(task)

    for says_so in (True, False):
        async with Plugin(session(tasks, task, "sleep 4321")) as plugin:
            await asyncio.to_thread(eventually, is_there)
            if says_so:
                await plugin.terminate()
                await plugin.ended()
        eventually(lambda: not is_there())


def test_refusals(tasks):
    plain = tasks.launch(WAITS)
    tasks.running(plain)
    with pytest.raises(ClientError, match="execute command was not enabled") as caught:
        session(tasks, plain)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    with pytest.raises(ClientError, match="ClusterNotFoundException"):
        tasks.ecs.execute_command(cluster="none", task=plain, command="sh", interactive=True)
    tasks.stop(plain)


async def test_a_client_sees_that_the_server_is_gone(own_server):
    own_server.start()
    tasks = Tasks(own_server)
    arn = run_enabled(tasks)
    tasks.running(arn)
    async with Plugin(session(tasks, arn, "cat")) as plugin:
        await plugin.type(b"hello\n")
        await plugin.shows(b"hello")
        own_server.kill()
        await plugin.ended()
        assert plugin.closed is None


async def test_tasks_of_a_service_that_allows_it(tasks):
    definition = tasks.register(WAITS)
    where = {"cluster": tasks.cluster, "service": "s"}
    tasks.ecs.create_service(
        cluster=tasks.cluster,
        serviceName="s",
        taskDefinition=definition,
        desiredCount=1,
        enableExecuteCommand=True,
    )

    def running():
        arns = tasks.ecs.list_tasks(cluster=tasks.cluster, serviceName="s")["taskArns"]
        found = [arn for arn in arns if tasks.describe(arn)["lastStatus"] == "RUNNING"]
        return found[0] if found else None

    (shown,) = tasks.ecs.describe_services(cluster=tasks.cluster, services=["s"])["services"]
    assert shown["enableExecuteCommand"] is True
    async with Plugin(session(tasks, eventually(running), "echo in a service")) as plugin:
        await plugin.ended()
        assert plugin.output == b"in a service\r\n"
    tasks.ecs.update_service(**where, enableExecuteCommand=False)
    (shown,) = tasks.ecs.describe_services(cluster=tasks.cluster, services=["s"])["services"]
    assert shown["enableExecuteCommand"] is False
    tasks.ecs.delete_service(**where, force=True)
