"""A process whose event loop is stuck ends, whatever it is stuck on, and says where; one that is not goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from gateway.watchdog import EXIT_STUCK
from tests.waiting import WAIT_SECONDS_MAX

PROGRAM = """
import asyncio, os, re, sys, time
from gateway.http.structured_logging import configure_logging
from gateway.watchdog import watchdog

def block():
    time.sleep(3600)

def match():
    re.match("(a+)+$", "a" * 64 + "b")

def fill_log():
    while True:
        os.write(2, b"x" * 65536)

def close_database():
    pass

async def main():
    configure_logging("INFO")
    dog.start()
    await asyncio.sleep(0.1)
    globals()[sys.argv[1]]()
    await asyncio.sleep(4)

with watchdog(2) as dog:
    asyncio.run(main())
time.sleep(4)
print("went on")
"""


def start(what: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, what],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def test_blocked_loop_ends_the_process_and_the_log_says_where():
    process = start("block")
    _, log = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == EXIT_STUCK
    [line] = map(orjson.loads, log.splitlines())
    assert (line["message"], line["seconds"]) == ("process stuck", 2)
    assert "in block" in line["stack"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no timers of processor time")
def test_loop_that_lets_no_thread_run_ends_the_process():
    process = start("match")
    _, log = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert process.returncode == -signal.SIGPROF
    assert b" in match" in log


def test_log_that_nobody_reads_does_not_keep_a_stuck_process():
    process = start("fill_log")
    assert process.wait(timeout=WAIT_SECONDS_MAX) == EXIT_STUCK
    process.communicate()


def test_process_that_is_not_stuck_goes_on_and_may_end_slowly():
    process = start("close_database")
    said, log = process.communicate(timeout=WAIT_SECONDS_MAX)
    assert (process.returncode, said, log) == (0, b"went on\n", b"")
