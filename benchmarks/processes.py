"""Servers under measurement: started on a free loopback port, awaited, and stopped by their process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.failure import BenchmarkFailed

PROJECT_DIR = Path(__file__).parent.parent
BUILD_DIR = PROJECT_DIR / "build" / "benchmarks"
START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 40.0
POLL_SECONDS = 0.02


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    is_ready: Callable[[], bool],
    log_path: Path,
    *,
    poll_seconds: float = POLL_SECONDS,
) -> Iterator[int]:
    """Run a server while the block lasts and yield its process id once it is ready.

    It runs in a session of its own, so that Ctrl-C reaches the benchmark only, which then stops it.
    """
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            list(command),
            env={**_inherited(), **environment},
            cwd=PROJECT_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await(process, is_ready, log_path, poll_seconds)
        yield process.pid
    finally:
        _stop(process)


def answers_post(url: str, body: bytes, headers: Mapping[str, str]) -> Callable[[], bool]:
    """Return a test of whether a server answers this request with 200."""

    def is_ready() -> bool:
        try:
            response = httpx.post(
                url,
                content=body,
                headers={"content-type": "application/json", **headers},
                timeout=START_TIMEOUT_SECONDS,
            )
        except httpx.TransportError:
            return False
        return response.status_code == httpx.codes.OK

    return is_ready


def _inherited() -> dict[str, str]:
    """Return what a server needs of our own environment; none of the gateway's settings."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def _await(
    process: subprocess.Popen[bytes],
    is_ready: Callable[[], bool],
    log_path: Path,
    poll_seconds: float,
) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log_path.read_text(errors="replace")[-2_000:]
            raise BenchmarkFailed(f"{log_path.stem} does not answer. Its log ends:\n{tail}")
        time.sleep(poll_seconds)


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
