"""Several processes that do the same work, each in its place: one that dies is started again, and none outlives the first.

They are forked, so that what was imported and built before is in memory once (docs/decisions/0039-worker-processes.md).
"""

from __future__ import annotations

import logging
import mmap
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any, Final, NoReturn

from gateway.heartbeats import BEAT_SECONDS, Heartbeats

logger = logging.getLogger(__name__)

# Starts in a row that may fail before all end: whoever started us then sees it, and decides.
FAILED_STARTS_MAX: Final = 5
# Before the first new try; twice as long before each further one.
PAUSE_SECONDS: Final = 0.1
# Until more processes, or memory for one, may be there.
FORK_PAUSE_SECONDS: Final = 1.0
SILENCE_SECONDS_MAX: Final = 30
# Longer than a worker takes to let requests (30), jobs (10) and calls to vendors (5) finish.
STOP_SECONDS_MAX: Final = 50.0
EXIT_FAULT: Final = 70
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class WorkersFailed(Exception):
    """Processes die before they can work; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What a process knows of itself; whoever replaces it has the same number."""

    number: int
    # Called once it can do its work.
    report_ready: Callable[[], None]
    # Once called, it is called every second from then on, or the process is taken for stuck.
    beat: Callable[[], None]


def supervise(
    work: Callable[[Worker], None],
    worker_count: int,
    on_stop: Callable[[], None],
    silence_seconds_max: int = SILENCE_SECONDS_MAX,
) -> None:
    """Run `work` in that many processes until SIGTERM or SIGINT, then let each finish, for 50 seconds at most.

    Call it from the main thread while there is no other thread and no event loop. A worker gets SIGTERM when it is to stop, and
    a second SIGINT if nobody wants to wait; if this process is killed, workers get SIGTERM too. `on_stop` is called before the
    first of them is told. One that has begun to beat and then is silent for so many seconds is killed and replaced.

    Raises:
        WorkersFailed: a worker dies before it is ready, at first or five times in a row; the others were let finish.
    """
    with _Signals() as signals:
        heartbeats = Heartbeats(worker_count, silence_seconds_max)
        supervisor = _Supervisor(work, worker_count, on_stop, signals, heartbeats)
        try:
            supervisor.run()
        finally:
            supervisor.kill_all()


class _Signals:
    """Signals as something to wait for, instead of something that interrupts."""

    def __enter__(self) -> _Signals:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._wake_up = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._handlers: dict[int, Any] = {
            number: signal.signal(number, _do_nothing) for number in SIGNALS
        }
        return self

    def wait(self, seconds: float) -> bytes:
        """Return the numbers of the signals that have arrived; empty when time is up."""
        select.select([self._reader], [], [], seconds)
        try:
            return os.read(self._reader, 1_024)
        except BlockingIOError:
            return b""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wake_up)
        os.close(self._reader)
        os.close(self._writer)


class _Supervisor:
    """Starts, watches and ends the workers."""

    def __init__(
        self,
        work: Callable[[Worker], None],
        worker_count: int,
        on_stop: Callable[[], None],
        signals: _Signals,
        heartbeats: Heartbeats,
    ) -> None:
        self._work = work
        self._on_stop = on_stop
        self._signals = signals
        self._heartbeats = heartbeats
        self._look_at = time.monotonic() + BEAT_SECONDS
        # Shared with the workers: each sets its byte when it is ready.
        self._ready = mmap.mmap(-1, worker_count)
        # Workers wait for its end, which comes when this process is gone, however it went.
        self._lifeline = os.pipe()
        self._process_ids: dict[int, int] = {}
        # When to start which number again.
        self._due: dict[int, float] = dict.fromkeys(range(worker_count), 0.0)
        self._has_worked = False
        # Of each number, in a row.
        self._failed_starts = dict.fromkeys(range(worker_count), 0)
        self._has_given_up = False
        self._kill_at: float | None = None

    def run(self) -> None:
        while self._process_ids or self._due:
            self._start_due()
            for number in self._signals.wait(self._seconds_left()):
                if number == signal.SIGCHLD:
                    self._bury()
                elif self._kill_at is None:
                    self._stop()
                elif number == signal.SIGINT:
                    self._send(signal.SIGINT)
            if self._kill_at is None:
                self._end_silent()
            elif time.monotonic() >= self._kill_at:
                self.kill_all()
        if self._has_given_up:
            message = "The serving processes end before they can serve: the log says why."
            raise WorkersFailed(message)

    def kill_all(self) -> None:
        """End at once what still runs."""
        self._due.clear()
        self._send(signal.SIGKILL)
        for process_id in self._process_ids.values():
            os.waitpid(process_id, 0)
        self._process_ids.clear()

    def _seconds_left(self) -> float:
        """Return how long nothing needs to be done unless a signal comes."""
        until = self._look_at if self._kill_at is None else self._kill_at
        return max(0.0, min([until, *self._due.values()]) - time.monotonic())

    def _start_due(self) -> None:
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            self._ready[number] = 0
            self._heartbeats.forget(number)
            try:
                self._process_ids[number] = self._fork(number)
            except OSError as error:
                # Too many processes, or too little memory for one more: the others go on meanwhile.
                facts = {"worker": number, "reason": str(error)}
                logger.error("worker not started", extra={"facts": facts})
                self._due[number] = now + FORK_PAUSE_SECONDS
            else:
                del self._due[number]

    def _fork(self, number: int) -> int:
        # A signal that arrives in between would be handled by the new process as if it were this one.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            process_id = os.fork()
            if process_id == 0:
                self._become_worker(number)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return process_id

    def _become_worker(self, number: int) -> NoReturn:
        """Do the work and end, without leaving any block that the first process has entered: they are its own to leave."""
        status: Any = EXIT_FAULT
        try:
            self._signals.__exit__(None, None, None)
            # Ctrl-C in the terminal is for the first process alone.
            os.setpgid(0, 0)
            os.close(self._lifeline[1])
            _stop_without(self._lifeline[0])
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self._work(
                Worker(
                    number,
                    report_ready=lambda: self._ready.__setitem__(number, 1),
                    beat=lambda: self._heartbeats.beat(number),
                )
            )
            status = 0
        except SystemExit as leaving:
            status = leaving.code
        except BaseException:
            logger.exception("worker failed")
        finally:
            # What the interpreter does at its end, and `_exit` does not.
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status if isinstance(status, int) else EXIT_FAULT)

    def _end_silent(self) -> None:
        """Kill whoever is stuck, once a second; it is replaced when it is gone."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + BEAT_SECONDS
        for number in self._heartbeats.look():
            # Whoever is gone already has no id: it is about to be replaced.
            if process_id := self._process_ids.get(number):
                facts = {"worker": number, "silent": process_id}
                logger.error("worker silent", extra={"facts": facts})
                os.kill(process_id, signal.SIGKILL)

    def _bury(self) -> None:
        for number, process_id in list(self._process_ids.items()):
            ended, status = os.waitpid(process_id, os.WNOHANG)
            if ended:
                del self._process_ids[number]
                if self._kill_at is None:
                    self._replace(number, process_id, os.waitstatus_to_exitcode(status))

    def _replace(self, number: int, process_id: int, exit_code: int) -> None:
        logger.error(
            "worker ended",
            extra={"facts": {"worker": number, "ended": process_id, "exit_code": exit_code}},
        )
        self._has_worked = self._has_worked or any(self._ready[:])
        if self._ready[number]:
            self._failed_starts[number] = 0
            self._due[number] = 0.0
            return
        self._failed_starts[number] += 1
        count = self._failed_starts[number]
        if count < FAILED_STARTS_MAX and self._has_worked:
            self._due[number] = time.monotonic() + PAUSE_SECONDS * 2 ** (count - 1)
        else:
            self._has_given_up = True
            self._stop()

    def _stop(self) -> None:
        self._kill_at = time.monotonic() + STOP_SECONDS_MAX
        self._due.clear()
        self._on_stop()
        self._send(signal.SIGTERM)

    def _send(self, number: signal.Signals) -> None:
        # None of them is buried yet, so that no id can be another's by now.
        for process_id in self._process_ids.values():
            os.kill(process_id, number)


def _stop_without(lifeline: int) -> None:
    """Stop this process when the one at the lifeline's other end is gone: as if told so, and by force if that takes too long."""

    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS_MAX)
        os._exit(EXIT_FAULT)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _do_nothing(_: int, __: FrameType | None) -> None:
    # The signal's number is in the pipe already.
    return
