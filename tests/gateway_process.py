"""`gateway serve` as a process of its own, on a free loopback port, with its log."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson
import psutil

from tests.waiting import WAIT_SECONDS_MAX

PROGRAM = "import sys; from gateway.cli import main; sys.argv[0] = 'gateway'; main()"


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running gateway."""

    process: subprocess.Popen[str]
    address: str
    log_path: Path

    @property
    def port(self) -> int:
        """Return where it listens."""
        port = urlsplit(self.address).port
        assert port is not None
        return port

    def workers(self) -> list[psutil.Process]:
        """Return the processes that serve, if there are several."""
        return [
            child
            for child in psutil.Process(self.process.pid).children()
            if child.status() != psutil.STATUS_ZOMBIE
        ]

    def log_lines(self, message: str) -> list[dict[str, Any]]:
        """Return the lines of the log so far that have this message."""
        complete = self.log_path.read_bytes().rpartition(b"\n")[0].splitlines()
        lines = [orjson.loads(line) for line in complete if line.startswith(b"{")]
        return [line for line in lines if line["message"] == message]


def serve_to_the_end(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run a `gateway serve` that ends by itself, and return its exit code and what it said."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, "serve", *arguments],
        env=_environment(folder, environment),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
        check=False,
    )


def _environment(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    return os.environ | {"PORT": "0", "DATA_DIR": str(folder / "data")} | dict(environment)


@contextmanager
def run_gateway(
    folder: Path, environment: Mapping[str, str], *arguments: str
) -> Iterator[GatewayProcess]:
    """Run `gateway serve` until the block ends; it has printed its address, and need not be ready."""
    log_path = folder / "gateway.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "serve", *arguments],
            env=_environment(folder, environment),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        # The first line names it after a word.
        address = process.stdout.readline().split()[1]
        yield GatewayProcess(process, address, log_path)
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=WAIT_SECONDS_MAX)
