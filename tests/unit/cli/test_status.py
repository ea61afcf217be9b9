from openecs.cli.status import cluster_rows, task_rows

TASK = {
    "clusterArn": "arn:aws:ecs:us-east-1:000000000000:cluster/web",
    "taskArn": "arn:aws:ecs:us-east-1:000000000000:task/web/0123",
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/my-task:1",
    "lastStatus": "RUNNING",
    "containers": [
        {
            "name": "app",
            "lastStatus": "RUNNING",
            "networkBindings": [
                {"bindIP": "0.0.0.0", "hostPort": 49153, "containerPort": 80, "protocol": "tcp"}
            ],
        },
        {
            "name": "side",
            "lastStatus": "RUNNING",
            "networkInterfaces": [{"privateIpv4Address": "172.17.0.2"}],
        },
        {"name": "init", "lastStatus": "STOPPED"},
    ],
}


def test_a_task_in_a_row():
    assert task_rows([TASK]) == [
        (
            "web",
            "0123",
            "my-task:1",
            "RUNNING",
            "app RUNNING 0.0.0.0:49153->80/tcp\nside RUNNING 172.17.0.2\ninit STOPPED",
        )
    ]


def test_clusters_by_name():
    counts = {
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 1,
        "runningTasksCount": 2,
        "pendingTasksCount": 0,
    }
    rows = cluster_rows([{"clusterName": "b", **counts}, {"clusterName": "a", **counts}])
    assert rows == [("a", "ACTIVE", "1", "2", "0"), ("b", "ACTIVE", "1", "2", "0")]
