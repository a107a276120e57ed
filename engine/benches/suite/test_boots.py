"""The same containers by pytest: each test boots one of its own, runs one command in it and removes it."""

import csv
import os
import re
import time
import uuid

import pytest
from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

docker = DockerClient(host=os.environ["DOCKER_HOST"])

with open(os.path.join(os.path.dirname(__file__), "steps.tsv")) as table:
    STEPS = list(csv.reader(table, delimiter="\t", quoting=csv.QUOTE_NONE))[: int(os.environ["STEPS"])]


def wait_for_systemd(container):
    """Asks until systemd answers: docker's log now and then lacks the line that would tell."""
    for _ in range(200):
        try:
            return docker.execute(container, ["systemctl", "is-system-running", "--wait"])
        except DockerException:
            time.sleep(0.1)
    raise TimeoutError("systemd does not come up")


@pytest.fixture
def container(number):
    booting = docker.run(
        os.environ["IMAGE"],
        name=f"bench-pytest-{number}-{uuid.uuid4().hex[:8]}",
        detach=True,
        interactive=True,
        tty=True,
        networks=["none"],
        cgroupns="host",
        cap_add=["SYS_ADMIN"],
        tmpfs=["/run"],
        envs={"container": "docker", "N": str(number)},
        volumes=[("/sys/fs/cgroup", "/sys/fs/cgroup", "ro")],
        stop_signal="SIGRTMIN+3",
        entrypoint="/sbin/init",
    )
    try:
        wait_for_systemd(booting)
        yield booting
    finally:
        docker.remove(booting, force=True)


@pytest.mark.parametrize("name,command,expected", STEPS)
@pytest.mark.parametrize("number", range(1, int(os.environ["CONTAINERS"]) + 1))
def test_boots(container, name, command, expected):
    assert re.search(expected, docker.execute(container, command.split()))
