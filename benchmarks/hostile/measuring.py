"""What the quiet tenant measures, alone and beside a flood, and whether the gateway stays ready."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from benchmarks.failure import BenchmarkFailed
from benchmarks.hostile.wire import REFERENCE, Caller, Question

# Between two requests: a caller who is no load.
PAUSE_SECONDS = 0.002
READY_PAUSE_SECONDS = 0.1
READY_TIMEOUT_SECONDS = 3.0
PERCENTILE = 0.99


def measure_p99(port: int, question: Question, seconds: float) -> float:
    """Ask again and again for so many seconds, and return the 99th percentile of the milliseconds that answers took.

    Raises:
        BenchmarkFailed: an answer was not a success.
    """
    caller = Caller(port)
    taken: list[float] = []
    try:
        end = time.perf_counter() + seconds
        while (begin := time.perf_counter()) < end:
            status, body = caller.ask(
                question.request.replace(REFERENCE, uuid.uuid4().hex.encode())
            )
            taken.append((time.perf_counter() - begin) * 1_000)
            if status != HTTPStatus.OK or question.marker not in body:
                raise BenchmarkFailed(f"The quiet tenant was answered {status}: {body[:200]!r}")
            time.sleep(PAUSE_SECONDS)
    finally:
        caller.close()
    taken.sort()
    return taken[int(len(taken) * PERCENTILE)]


@dataclass(slots=True)
class Readiness:
    """How often the gateway was asked whether it is ready, and how often it did not say so."""

    asked: int = 0
    failed: int = 0


@contextmanager
def watching_readiness(port: int) -> Iterator[Readiness]:
    """Ask whether the gateway is ready ten times a second while the block lasts."""
    readiness = Readiness()
    stop = threading.Event()

    def watch() -> None:
        with httpx.Client(trust_env=False, timeout=READY_TIMEOUT_SECONDS) as client:
            while not stop.wait(READY_PAUSE_SECONDS):
                readiness.asked += 1
                try:
                    answer = client.get(f"http://127.0.0.1:{port}/health/ready")
                except httpx.TransportError:
                    readiness.failed += 1
                else:
                    readiness.failed += answer.status_code != HTTPStatus.OK

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield readiness
    finally:
        stop.set()
        thread.join()
