"""Requests that arrive while a commit is under way share the next one.

Nobody waits for company: a request that finds its queue idle runs at once. Each job keeps its own answer and its own failure:
one that cannot be done in a group, for whatever reason, is done again alone, exactly as if there were no groups.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.errors import Overloaded

GROUP_SIZE_MAX = 64
QUEUE_LENGTH_MAX = 1_000
# Two, so that one group computes while the other commits.
GROUPS_UNDER_WAY_MAX = 2
# A group that waits for a lock longer than this no longer keeps others from starting.
SLOT_SECONDS_MAX = 0.1

Job = TypeVar("Job")
Result = TypeVar("Result")

RunGroup = Callable[[Sequence[Job]], Awaitable[Sequence[Result | None]]]
RunAlone = Callable[[Job], Awaitable[Result]]


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Job, Result]):
    """A job, its key, and who waits for its result."""

    key: str
    job: Job
    future: asyncio.Future[Result]


class _Queue(Generic[Job, Result]):
    """Jobs of one caller, the keys that are under way, and how many more groups may start."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiting[Job, Result]] = deque()
        self.keys_under_way: set[str] = set()
        self.slots_free = GROUPS_UNDER_WAY_MAX


class _Slot:
    """A group's place among those under way; given back once, when the group ends or has taken too long."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release = release
        self._timer = asyncio.get_running_loop().call_later(SLOT_SECONDS_MAX, self.release)
        self._is_held = True

    def release(self) -> None:
        if self._is_held:
            self._is_held = False
            self._timer.cancel()
            self._release()


class Grouper(Generic[Job, Result]):
    """Runs jobs of one queue in groups, and different queues independently of each other.

    `run_group` returns a result for each job, None for one that must be done alone; if it raises, all of them are done alone.
    Jobs of one key never share a group: the second replays the first.
    """

    def __init__(self, run_group: RunGroup[Job, Result], run_alone: RunAlone[Job, Result]) -> None:
        """Take how to run several jobs in one database transaction, and how to run one."""
        self._run_group = run_group
        self._run_alone = run_alone
        self._queues: dict[Hashable, _Queue[Job, Result]] = {}
        # The loop keeps only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, queue_key: Hashable, job_key: str, job: Job) -> Result:
        """Run the job with others of its queue and return its result.

        Raises:
            Overloaded: the queue is full; nothing was done.
            Exception: whatever running it alone raises.
        """
        queue = self._queues.setdefault(queue_key, _Queue())
        if len(queue.waiting) >= QUEUE_LENGTH_MAX:
            raise Overloaded("The gateway is busy; nothing was done, try again shortly.")
        waiting = _Waiting[Job, Result](job_key, job, asyncio.get_running_loop().create_future())
        queue.waiting.append(waiting)
        self._start_groups(queue_key, queue)
        return await waiting.future

    def _start_groups(self, queue_key: Hashable, queue: _Queue[Job, Result]) -> None:
        while queue.slots_free and (group := _take_group(queue)):
            queue.slots_free -= 1
            slot = _Slot(lambda: self._end_group(queue_key, queue))
            self._start(self._run(queue_key, queue, group, slot))

    def _end_group(self, queue_key: Hashable, queue: _Queue[Job, Result]) -> None:
        queue.slots_free += 1
        self._go_on(queue_key, queue)

    def _go_on(self, queue_key: Hashable, queue: _Queue[Job, Result]) -> None:
        self._start_groups(queue_key, queue)
        if queue.slots_free == GROUPS_UNDER_WAY_MAX and not queue.waiting:
            self._queues.pop(queue_key, None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(
        self,
        queue_key: Hashable,
        queue: _Queue[Job, Result],
        group: list[_Waiting[Job, Result]],
        slot: _Slot,
    ) -> None:
        alone = []
        try:
            for waiting, result in zip(group, await self._try_group(group), strict=True):
                if result is None:
                    alone.append(waiting)
                else:
                    queue.keys_under_way.discard(waiting.key)
                    _answer(waiting, result)
            # All at once: one that waits for a lock then keeps nobody else waiting.
            await asyncio.gather(*(self._settle_alone(queue, waiting) for waiting in alone))
        finally:
            slot.release()
            # A slot given back before the end let nobody start who waits for a key of this group.
            self._go_on(queue_key, queue)

    async def _try_group(self, group: Sequence[_Waiting[Job, Result]]) -> Sequence[Result | None]:
        if len(group) == 1:
            return [None]
        try:
            return await self._run_group([waiting.job for waiting in group])
        except Exception:  # noqa: BLE001 - each job alone then shows whose fault it is, and raises it to its caller
            return [None] * len(group)

    async def _settle_alone(
        self, queue: _Queue[Job, Result], waiting: _Waiting[Job, Result]
    ) -> None:
        try:
            _answer(waiting, await self._run_alone(waiting.job))
        except Exception as error:  # noqa: BLE001 - it is raised to the caller, who waits for it
            if not waiting.future.done():
                waiting.future.set_exception(error)
        finally:
            queue.keys_under_way.discard(waiting.key)
            waiting.future.cancel()


def _answer(waiting: _Waiting[Job, Result], result: Result) -> None:
    # Who has gone away needs no answer; what was done for them stays done.
    if not waiting.future.done():
        waiting.future.set_result(result)


def _take_group(queue: _Queue[Job, Result]) -> list[_Waiting[Job, Result]]:
    """Take the next jobs in order, leaving those whose key is under way for a later group."""
    group: list[_Waiting[Job, Result]] = []
    left: deque[_Waiting[Job, Result]] = deque()
    while queue.waiting and len(group) < GROUP_SIZE_MAX:
        waiting = queue.waiting.popleft()
        if waiting.future.cancelled():
            continue
        if waiting.key in queue.keys_under_way:
            left.append(waiting)
        else:
            queue.keys_under_way.add(waiting.key)
            group.append(waiting)
    queue.waiting.extendleft(reversed(left))
    return group
