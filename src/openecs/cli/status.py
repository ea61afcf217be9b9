"""``openecs status``: what runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from openecs.cli import installation
from openecs.cli.installation import ConfigFlag, DataDirFlag, Installation, PortFlag

if TYPE_CHECKING:
    from rich.table import Table

    from openecs.cli.clusters import Described


def status(
    account_id: Annotated[
        str | None, typer.Option(help="Another account than the server's own.")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Another region than the server's.")] = None,
    data_dir: DataDirFlag = None,
    port: PortFlag = None,
    config: ConfigFlag = None,
) -> None:
    """Show the server, its clusters, their tasks and containers. Exit status 3: no server runs."""
    flags = {"data_dir": data_dir, "port": port}
    found = installation.find(flags, config, os.environ)
    server = found.running()
    from rich.console import Console
    from rich.markup import escape

    from openecs.cli import client

    version = client.health(server.url)["version"]
    own = found.key(server.account_id)
    notices = client.post(server.url, "/_openecs/notices", own, server.region)["notices"]
    account, where = account_id or server.account_id, region or server.region
    console = Console()
    console.print(
        f"[bold]OpenECS {version}[/] on [link={server.url}]{server.url}[/], "
        f"process {server.pid}, {_keeping(found)}. Account {account}, region {where}.",
        highlight=False,
        soft_wrap=True,
    )
    for notice in notices:
        console.print(f"[yellow]Note:[/] {escape(notice)}", highlight=False, soft_wrap=True)
    with client.told():
        tables = _tables(client.ecs(server.url, found.key(account), where))
    for table in tables:
        console.print()
        console.print(table)


def _keeping(found: Installation) -> str:
    directory = found.settings.directory
    return "ephemeral" if found.settings.ephemeral else f"data in {directory}"


def _tables(ecs: Any) -> Sequence[Table | str]:
    from openecs.cli import clusters

    known = clusters.clusters(ecs)
    if not known:
        return ["No clusters yet: aws ecs create-cluster --cluster-name my-ecs-cluster"]
    tasks = [task for cluster in known for task in clusters.tasks(ecs, cluster["clusterArn"])]
    tables = [_table(("Cluster", "Status", "Instances", "Running", "Pending"), cluster_rows(known))]
    if tasks:
        names = ("Cluster", "Task", "Definition", "Status", "Containers")
        tables.append(_table(names, task_rows(tasks)))
    return tables


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def cluster_rows(clusters: Iterable[Described]) -> list[tuple[str, ...]]:
    """A row a cluster, by name."""
    return sorted(
        (
            cluster["clusterName"],
            cluster["status"],
            str(cluster["registeredContainerInstancesCount"]),
            str(cluster["runningTasksCount"]),
            str(cluster["pendingTasksCount"]),
        )
        for cluster in clusters
    )


def task_rows(tasks: Iterable[Described]) -> list[tuple[str, ...]]:
    """A row a task, by cluster and identifier."""
    return sorted(
        (
            _last_part(task["clusterArn"]),
            _last_part(task["taskArn"]),
            _last_part(task["taskDefinitionArn"]),
            task["lastStatus"],
            "\n".join(_container(container) for container in task["containers"]),
        )
        for task in tasks
    )


def _container(container: Described) -> str:
    """``web RUNNING 0.0.0.0:49153->80/tcp``."""
    where = [
        f"{b['bindIP']}:{b['hostPort']}->{b['containerPort']}/{b['protocol']}"
        for b in container.get("networkBindings", ())
        if "hostPort" in b
    ]
    where += [
        interface["privateIpv4Address"]
        for interface in container.get("networkInterfaces", ())
        if "privateIpv4Address" in interface
    ]
    return " ".join((container["name"], container["lastStatus"], *where))


def _last_part(arn: str) -> str:
    return arn.rpartition("/")[2]
