"""What docker/compose.yaml starts, in its order, on this machine and without containers."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from gateway.storage.embedded import application_url, embedded_postgres
from gateway.storage.embedded_programs import program_path
from tests.sealing import SECRET_KEYS

DOCKER = Path(__file__).parents[2] / "docker"
COMMAND = str(Path(sys.executable).with_name("gateway"))
WAIT_SECONDS_MAX = 30.0


@contextmanager
def gateway(environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run `gateway serve` on a free port; yield it with its address once it is ready."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([COMMAND, "serve"], env={**environment, "PORT": str(port)}) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until_ready(address)
            yield process, address
        finally:
            process.kill()


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not is_ready(address):
        assert time.monotonic() < deadline, f"{address} did not become ready"
        time.sleep(0.05)


def is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def environment(server_folder: Path) -> Iterator[dict[str, str]]:
    """Give what the gateways' containers get, on a new database that only has the ordinary role."""
    with embedded_postgres(server_folder / "data", disposable=True) as owner_url:
        subprocess.run(
            ["sh", str(DOCKER / "create-role.sh")],
            check=True,
            env={
                "PATH": f"{program_path('psql').parent}:{os.defpath}",
                "PGHOST": unquote(owner_url.partition("host=")[2]),
                "POSTGRES_USER": "postgres",
                "POSTGRES_DB": "rewards",
                "GATEWAY_PASSWORD": "it's secret",
            },
        )
        without_settings = {"PATH": os.environ["PATH"], "HOME": str(server_folder)}
        environment = {
            **without_settings,
            "DATABASE_URL": application_url(owner_url),
            "SECRET_KEYS": SECRET_KEYS,
        }
        subprocess.run(
            [COMMAND, "migrate"],
            check=True,
            env={**environment, "MIGRATION_DATABASE_URL": owner_url},
        )
        yield environment


def test_one_gateway_serves_on_while_the_other_stops(environment: dict[str, str]):
    with ExitStack() as stack:
        first, first_address = stack.enter_context(gateway(environment))
        _, second_address = stack.enter_context(gateway(environment))
        first.send_signal(signal.SIGTERM)
        assert first.wait(WAIT_SECONDS_MAX) == 0
        assert not is_ready(first_address)
        assert is_ready(second_address)


def test_containers_set_no_variable_that_nobody_reads():
    settings = (DOCKER.parent / "gateway/settings.py").read_text()
    compose = (DOCKER / "compose.yaml").read_text()
    dockerfile = (DOCKER / "Dockerfile").read_text()
    set_for_gateways = {
        *re.findall(r"^ +([A-Z_]*DATABASE_URL|SECRET_KEYS):", compose, re.MULTILINE),
        *re.findall(r"(HOST|PORT|DATA_DIR)=", dockerfile),
    }
    assert set_for_gateways == {
        "DATABASE_URL",
        "MIGRATION_DATABASE_URL",
        "SECRET_KEYS",
        "HOST",
        "PORT",
        "DATA_DIR",
    }
    for variable in set_for_gateways:
        assert f'"{variable}"' in settings
