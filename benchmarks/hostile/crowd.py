"""A crowd of clients in a process of its own, which floods until its standard input is closed: `python -m benchmarks.hostile.crowd`.

The first line that it reads says what to do; when it ends it prints how often each status was answered. It ends by itself after a minute.
"""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from benchmarks.hostile.wire import REFERENCE, read_status
from benchmarks.processes import PROJECT_DIR

SECONDS_MAX = 60
RETRY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Crowd:
    """So many connections, each of which sends one of the requests again and again, as soon as it is answered.

    With `is_unfinished` each sends its request once, without its last byte, and waits.
    """

    connections: int
    requests: Sequence[bytes]
    is_unfinished: bool = False


@dataclass(slots=True)
class Tally:
    """How often each status was answered; connections that ended without an answer count as 0."""

    statuses: Counter[int] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(
            f"{status or 'closed'}: {count}" for status, count in sorted(self.statuses.items())
        )


@contextmanager
def flooding(port: int, crowd: Crowd) -> Iterator[Tally]:
    """Let a crowd flood while the block lasts; the tally is filled in at its end."""
    tally = Tally()
    order = {
        "port": port,
        "connections": crowd.connections,
        "requests": [base64.b64encode(request).decode() for request in crowd.requests],
        "is_unfinished": crowd.is_unfinished,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.hostile.crowd"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT_DIR,
        text=True,
    )
    assert process.stdin is not None  # noqa: S101 - both are pipes
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        # It says so when every connection has sent something.
        process.stdout.readline()
        yield tally
    finally:
        process.stdin.close()
        counts = json.loads(process.stdout.readline() or "{}")
        tally.statuses.update({int(status): count for status, count in counts.items()})
        process.wait(SECONDS_MAX)


async def _flood(port: int, crowd: Crowd, stop: asyncio.Event) -> Counter[int]:
    tally: Counter[int] = Counter()
    begun = asyncio.Semaphore(0)
    tasks = [
        asyncio.create_task(
            _send_unfinished(port, request, tally, begun)
            if crowd.is_unfinished
            else _send_again_and_again(port, request, tally, begun)
        )
        for number in range(crowd.connections)
        for request in [crowd.requests[number % len(crowd.requests)]]
    ]
    for _ in tasks:
        await begun.acquire()
    print("begun", flush=True)
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return tally


async def _send_again_and_again(
    port: int, request: bytes, tally: Counter[int], begun: asyncio.Semaphore
) -> None:
    is_begun = False
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                writer.write(request.replace(REFERENCE, uuid.uuid4().hex.encode()))
                if not is_begun:
                    is_begun = True
                    begun.release()
                tally[await read_status(reader)] += 1
        except (OSError, asyncio.IncompleteReadError):
            tally[0] += 1
            if not is_begun:
                is_begun = True
                begun.release()
            await asyncio.sleep(RETRY_SECONDS)


async def _send_unfinished(
    port: int, request: bytes, tally: Counter[int], begun: asyncio.Semaphore
) -> None:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request[:-1])
        await writer.drain()
    except OSError:
        tally[0] += 1
        return
    finally:
        begun.release()
    try:
        tally[await read_status(reader)] += 1
    except (OSError, asyncio.IncompleteReadError):
        tally[0] += 1


async def _main() -> None:
    order = json.loads(sys.stdin.readline())
    crowd = Crowd(
        order["connections"],
        [base64.b64decode(request) for request in order["requests"]],
        order["is_unfinished"],
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, stop.set)
    loop.call_later(SECONDS_MAX, stop.set)
    print(json.dumps(await _flood(order["port"], crowd, stop)), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_main())
