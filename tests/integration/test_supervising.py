"""Who supervises: numbers are kept, failed starts are counted, and nobody is left behind. Each in a process of its own, which forks."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import WAIT_SECONDS_MAX, wait_for

ROOT = Path(__file__).parents[2]
# Each worker notes that it started; what else it does is the test's.
PROGRAM = """
import asyncio, errno, logging, os, signal, sys, time
from pathlib import Path
from gateway import supervising
from gateway.heartbeats import beat_forever
from gateway.supervising import WorkersFailed, supervise
supervising.STOP_SECONDS_MAX = {stop_seconds_max}
folder = Path(sys.argv[1])
logging.basicConfig(level="INFO")

def count_starts(number):
    path = folder / f"starts-{{number}}"
    with path.open("a") as file:
        file.write(f"{{os.getpid()}}\\n")
    return len(path.read_text().splitlines())

def leave(number, _):
    (folder / f"told-{{os.getpid()}}").touch()
    raise SystemExit(0)

signal.signal(signal.SIGTERM, leave)
# A shell starts its background jobs with SIGINT ignored, and Python then leaves it so.
signal.signal(signal.SIGINT, signal.default_int_handler)

def work(worker):
    starts = count_starts(worker.number)
{work}

try:
    supervise(work, 2, lambda: (folder / "stopping").touch(), silence_seconds_max=2)
except WorkersFailed as failure:
    sys.exit(str(failure))
(folder / "left").touch()
"""
REST = "    worker.report_ready()\n    time.sleep(600)"


def start(folder: Path, work: str, stop_seconds_max: float = 50.0) -> subprocess.Popen[str]:
    program = PROGRAM.format(work=work, stop_seconds_max=stop_seconds_max)
    return subprocess.Popen(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def starts(folder: Path, number: int) -> list[int]:
    """Return the ids of the processes that had this number."""
    path = folder / f"starts-{number}"
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and what was said, once it has ended."""
    _, errors = process.communicate(timeout=WAIT_SECONDS_MAX)
    return process.returncode, errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_are_told_to_stop_once(tmp_path: Path, number: signal.Signals):
    process = start(tmp_path, REST)
    wait_for(lambda: bool(starts(tmp_path, 0) and starts(tmp_path, 1)), "both")
    ids = starts(tmp_path, 0) + starts(tmp_path, 1)
    process.send_signal(number)
    assert finish(process) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "starts-0",
        "starts-1",
        "stopping",
        "left",
        *(f"told-{process_id}" for process_id in ids),
    }


def test_replacement_has_the_number_of_the_dead(tmp_path: Path):
    work = "    if worker.number == 1 and starts == 1:\n        worker.report_ready()\n        raise ValueError\n"
    process = start(tmp_path, work + REST)
    wait_for(lambda: len(starts(tmp_path, 1)) == 2, "a replacement")
    process.terminate()
    exit_code, errors = finish(process)
    assert exit_code == 0
    assert "ValueError" in errors
    assert len(starts(tmp_path, 0)) == 1


def test_failed_first_start_ends_all(tmp_path: Path):
    work = "    if worker.number == 1:\n        sys.exit(3)\n    time.sleep(600)"
    exit_code, errors = finish(start(tmp_path, work))
    assert exit_code == 1
    assert errors.endswith("The serving processes end before they can serve: the log says why.\n")
    assert len(starts(tmp_path, 1)) == 1
    assert (tmp_path / "stopping").exists()
    assert not any(psutil.pid_exists(process_id) for process_id in starts(tmp_path, 0))


def test_five_failed_starts_in_a_row_end_all(tmp_path: Path):
    """Of one that had worked before: the other goes on meanwhile, and is let finish."""
    work = "    if worker.number == 1 and starts > 1:\n        sys.exit(3)\n"
    process = start(tmp_path, work + REST)
    wait_for(lambda: bool(starts(tmp_path, 0) and starts(tmp_path, 1)), "both")
    [other] = starts(tmp_path, 0)
    psutil.Process(starts(tmp_path, 1)[0]).kill()
    exit_code, errors = finish(process)
    assert exit_code == 1
    assert errors.endswith("The serving processes end before they can serve: the log says why.\n")
    assert len(starts(tmp_path, 1)) == 1 + 5
    assert starts(tmp_path, 0) == [other]
    assert (tmp_path / f"told-{other}").exists()


def test_starts_that_fail_now_and_then_do_not_add_up(tmp_path: Path):
    """Every second start fails, nine times in all."""
    work = (
        "    if worker.number == 1 and starts % 2 == 0:\n        sys.exit(3)\n"
        "    if worker.number == 1 and starts < 19:\n        worker.report_ready()\n        sys.exit(0)\n"
    )
    process = start(tmp_path, work + REST)
    wait_for(lambda: len(starts(tmp_path, 1)) == 19, "the last start")
    process.terminate()
    assert finish(process)[0] == 0


def test_worker_whose_loop_is_stuck_is_replaced(tmp_path: Path):
    """The other, whose loop goes on, is let alone; so is one that never began to beat, as in the other tests."""
    work = """
    async def live():
        worker.report_ready()
        beat_forever(worker.beat)
        await asyncio.sleep(0.5)
        if worker.number == 1 and starts == 1:
            time.sleep(600)
        await asyncio.sleep(600)
    asyncio.run(live())
"""
    process = start(tmp_path, work)
    wait_for(lambda: len(starts(tmp_path, 1)) == 2, "a replacement")
    process.terminate()
    exit_code, errors = finish(process)
    assert exit_code == 0
    assert errors.count("worker silent") == 1
    assert len(starts(tmp_path, 1)) == 2
    assert len(starts(tmp_path, 0)) == 1


def test_process_that_cannot_be_started_is_tried_again(tmp_path: Path):
    """The machine has no process for the replacement, twice; the other goes on meanwhile."""
    work = """
    if worker.number == 1 and starts == 1:
        worker.report_ready()
        sys.exit(0)
    worker.report_ready()
    time.sleep(600)

fork = os.fork
forks = []

def fork_or_not():
    forks.append(os.getpid())
    if 2 < len(forks) < 5:
        raise BlockingIOError(errno.EAGAIN, "no process left")
    return fork()

os.fork = fork_or_not
"""
    process = start(tmp_path, work)
    wait_for(lambda: len(starts(tmp_path, 1)) == 2, "a replacement")
    process.terminate()
    exit_code, errors = finish(process)
    assert exit_code == 0
    assert errors.count("worker not started") == 2
    assert len(starts(tmp_path, 0)) == 1


DEAF = (
    "    signal.signal(signal.SIGTERM, lambda *_: (folder / f'deaf-{worker.number}').touch())\n"
    "    (folder / f'ready-{worker.number}').touch()\n"
)


def test_second_interrupt_waits_for_nobody(tmp_path: Path):
    process = start(tmp_path, DEAF + REST)
    wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 2, "both")
    process.send_signal(signal.SIGINT)
    wait_for(lambda: len(list(tmp_path.glob("deaf-*"))) == 2, "SIGTERM")
    process.send_signal(signal.SIGINT)
    exit_code, errors = finish(process)
    assert exit_code == 0
    assert errors.count("KeyboardInterrupt") == 2


def test_who_does_not_stop_is_killed(tmp_path: Path):
    process = start(tmp_path, DEAF + REST, stop_seconds_max=0.5)
    wait_for(lambda: len(list(tmp_path.glob("ready-*"))) == 2, "both")
    process.terminate()
    assert finish(process) == (0, "")
    assert len(list(tmp_path.glob("deaf-*"))) == 2
    ids = starts(tmp_path, 0) + starts(tmp_path, 1)
    assert not any(psutil.pid_exists(process_id) for process_id in ids)


def test_killed_first_process_takes_all_with_it(tmp_path: Path):
    process = start(tmp_path, REST)
    wait_for(lambda: bool(starts(tmp_path, 0) and starts(tmp_path, 1)), "both")
    ids = starts(tmp_path, 0) + starts(tmp_path, 1)
    process.kill()
    process.communicate(timeout=WAIT_SECONDS_MAX)
    for process_id in ids:
        wait_for(lambda told=tmp_path / f"told-{process_id}": told.exists(), "the end")  # type: ignore[misc]
