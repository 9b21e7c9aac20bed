"""The server process: its port, its log, and how it stops."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette

from gateway.http import server
from gateway.http.server import (
    EXIT_STARTUP_FAILED,
    AddressUnavailable,
    bind_socket,
    bind_sockets,
    run_server,
)
from gateway.http.structured_logging import configure_logging
from tests.api.toy_http import bearer, wait_until

START_SECONDS = 30
ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, contextlib, sys
from collections.abc import AsyncIterator
from pathlib import Path
import strawberry
from starlette.applications import Starlette
from gateway.http.application import create_http_application
from gateway.http.graphql_schema import GatewaySchema
from gateway.http.server import bind_socket, run_server
from gateway.settings import Settings
from tests.api.toy_http import authenticate

@strawberry.type
class Query:
    @strawberry.field
    async def slow(self) -> str:
        await asyncio.sleep(0.5)
        return "finished"

async def find_reasons() -> tuple[str, ...]:
    return ()

@contextlib.asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    if sys.argv[2] == "broken":
        raise OSError("no database")
    yield

application = create_http_application(
    schema=GatewaySchema(Query), settings=Settings(), authenticate=authenticate,
    make_context=lambda caller, request_id: None, find_reasons=find_reasons,
    lifespan=lifespan,
)
run_server(application, bind_socket("127.0.0.1", int(sys.argv[1])), "INFO")
"""


def test_port_in_use_is_told_in_one_line() -> None:
    with bind_socket("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressUnavailable) as raised:
            bind_socket("127.0.0.1", port)
    assert str(raised.value).startswith(f"Port {port} on 127.0.0.1 is in use")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_address_of_another_machine_is_told_in_one_line(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=f"Cannot listen on {host}"):
        bind_socket(host, 0)


def test_privileged_port_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(AddressUnavailable, match="choose one above 1023"):
        bind_socket("127.0.0.1", 80)


def test_socket_is_bound_to_ipv6_too() -> None:
    with bind_socket("::1", 0) as listener:
        assert listener.family is socket.AF_INET6


def test_several_processes_have_the_address_to_themselves() -> None:
    """Each has a socket that gets connections; a second gateway with several processes is refused like one with one."""
    listeners = bind_sockets("127.0.0.1", 0, 2)
    port = listeners[0].getsockname()[1]
    clients = []
    try:
        for count in (1, 2):
            with pytest.raises(AddressUnavailable, match=f"Port {port} on 127.0.0.1 is in use"):
                bind_sockets("127.0.0.1", port, count)
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
        taken = [_accept_all(listener) for listener in listeners]
    finally:
        for each in (*listeners, *clients):
            each.close()
    assert sum(taken) == 100
    assert all(taken)


def _accept_all(listener: socket.socket) -> int:
    listener.setblocking(False)
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


def test_request_under_way_is_finished_on_shutdown(tmp_path: Path) -> None:
    """SIGTERM while an operation runs: it is answered, then the process ends; its log is JSON."""
    with bind_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    log_path = tmp_path / "log"
    with log_path.open("wb") as log, (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(port), "sound"], stderr=log, stdout=output, cwd=ROOT
        )
    try:
        wait_until(lambda: b"startup complete" in log_path.read_bytes(), START_SECONDS)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            # The operation takes half a second; the signal arrives while it runs.
            terminate = threading.Timer(0.2, process.terminate)
            terminate.start()
            response = client.post(
                "/graphql", json={"query": "{ slow }"}, headers={"Authorization": bearer()}
            )
        assert response.json() == {"data": {"slow": "finished"}}
        assert process.wait(10) in {0, -signal.SIGTERM}
        assert (tmp_path / "output").read_bytes() == b""
    finally:
        process.kill()
        process.wait()
    lines = [orjson.loads(line) for line in log_path.read_bytes().splitlines()]
    [request_line] = [line for line in lines if line["message"] == "request"]
    assert request_line["status"] == 200
    assert request_line["request_id"] == response.headers["x-request-id"]


def test_failed_start_ends_the_process_with_an_error() -> None:
    """A supervisor then sees that it must try again."""
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, "0", "broken"],
        cwd=ROOT,
        capture_output=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert finished.returncode == EXIT_STARTUP_FAILED
    assert b"no database" in finished.stderr
    assert all(orjson.loads(line) for line in finished.stderr.splitlines())


def test_interrupt_stops_the_server_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C nobody wants a traceback."""

    def run(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        self.started = True
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn.Server, "run", run)
    monkeypatch.setattr(server, "configure_logging", lambda _: None)
    with bind_socket("127.0.0.1", 0) as listener:
        run_server(Starlette(), listener, "INFO")


def test_logging_is_json_of_the_level_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # Taken off first, so that the configuration does not close pytest's own handlers.
    root.handlers = []
    try:
        configure_logging("warning")
        logging.getLogger("gateway.x").info("left out")
        logging.getLogger("gateway.x").warning("kept")
    finally:
        root.handlers = handlers
        root.setLevel(level)
    [line] = capsys.readouterr().err.splitlines()
    assert orjson.loads(line)["message"] == "kept"
