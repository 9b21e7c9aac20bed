"""Requests that arrive while a commit is under way share the next one.

Nobody waits for company: a request that finds its queue idle runs at once. Each job keeps its own answer and its own failure:
one that cannot be done in a group, for whatever reason, is done again alone, exactly as if there were no groups.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from gateway.errors import Overloaded
from gateway.operations.places import Place, Places

GROUP_SIZE_MAX = 64
# Of all jobs of a group together; a single job may have more.
GROUP_LINES_MAX = 512
QUEUE_LENGTH_MAX = 1_000

Job = TypeVar("Job")
Result = TypeVar("Result")

# Called when the work has its connection.
Begin = Callable[[], None]
RunGroup = Callable[[Sequence[Job], Begin], Awaitable[Sequence[Result | None]]]
RunAlone = Callable[[Job, Begin], Awaitable[Result]]


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Job, Result]):
    """A job, its keys, how many lines it has, and who waits for its result."""

    keys: Set[str]
    lines: int
    job: Job
    future: asyncio.Future[Result]


class _Queue(Generic[Job, Result]):
    """Jobs of one caller: those that wait for a group, those that must be done alone, and the keys that are under way."""

    def __init__(self) -> None:
        self.waiting: deque[_Waiting[Job, Result]] = deque()
        self.alone: deque[_Waiting[Job, Result]] = deque()
        self.keys_under_way: set[str] = set()
        self.under_way = 0
        self.has_asked = False
        self.was_alone = False


class Grouper(Generic[Job, Result]):
    """Runs jobs of one queue in groups; queues of a tenant share its places, and take turns.

    `run_group` returns a result for each job, None for one that must be done alone; if it raises, all of them are done alone,
    unless it got no connection: then all of them are told so.
    Jobs that share a key never share a group: the second replays the first.
    """

    def __init__(
        self,
        run_group: RunGroup[Job, Result],
        run_alone: RunAlone[Job, Result],
        places: Places | None = None,
    ) -> None:
        """Take how to run several jobs in one database transaction, how to run one, and the places of all that is grouped."""
        self._run_group = run_group
        self._run_alone = run_alone
        self._places = places or Places()
        self._queues: dict[Hashable, _Queue[Job, Result]] = {}
        # The loop keeps only weak references to tasks.
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(
        self, tenant: Hashable, caller: Hashable, keys: Set[str], job: Job, *, lines: int = 1
    ) -> Result:
        """Run the job with others of its caller and return its result.

        Raises:
            Overloaded: the queue is full; nothing was done.
            Exception: whatever running it alone raises.
        """
        name = (tenant, caller)
        queue = self._queues.setdefault(name, _Queue())
        if len(queue.waiting) + len(queue.alone) >= QUEUE_LENGTH_MAX:
            raise Overloaded("The gateway is busy; nothing was done, try again shortly.")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        queue.waiting.append(_Waiting(keys, lines, job, future))
        self._ask(name, queue)
        return await future

    def _ask(self, name: tuple[Hashable, Hashable], queue: _Queue[Job, Result]) -> None:
        """Have one request for a place outstanding as long as there is anything to do."""
        if not queue.has_asked and (queue.waiting or queue.alone):
            queue.has_asked = True
            self._places.ask(name[0], lambda place: self._start(name, queue, place))

    def _start(
        self, name: tuple[Hashable, Hashable], queue: _Queue[Job, Result], place: Place
    ) -> None:
        queue.has_asked = False
        group = _take_turn(queue)
        if not group:
            # Only jobs whose keys are under way are left; who ends those asks again.
            place.leave()
            self._forget_idle(name, queue)
            return
        queue.under_way += len(group)
        task = asyncio.create_task(self._run(name, queue, group, place))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._ask(name, queue)

    async def _run(
        self,
        name: tuple[Hashable, Hashable],
        queue: _Queue[Job, Result],
        group: Sequence[_Waiting[Job, Result]],
        place: Place,
    ) -> None:
        try:
            if len(group) == 1:
                await self._settle_alone(queue, group[0], place)
            else:
                await self._settle_group(queue, group, place)
        finally:
            queue.under_way -= len(group)
            place.leave()
            self._ask(name, queue)
            self._forget_idle(name, queue)

    def _forget_idle(self, name: tuple[Hashable, Hashable], queue: _Queue[Job, Result]) -> None:
        if not (queue.under_way or queue.waiting or queue.alone):
            self._queues.pop(name, None)

    async def _settle_group(
        self, queue: _Queue[Job, Result], group: Sequence[_Waiting[Job, Result]], place: Place
    ) -> None:
        results: Sequence[Result | None]
        has_begun = False

        def begin() -> None:
            nonlocal has_begun
            has_begun = True
            place.begin()

        try:
            results = await self._run_group([waiting.job for waiting in group], begin)
        except Exception as error:  # noqa: BLE001 - each job alone then shows whose fault it is, and raises it to its caller
            if isinstance(error, Overloaded) and not has_begun:
                # There was no connection to be had. One by one they would wait for it anew, each behind all the others.
                _refuse_all(queue, group, error)
                return
            results = [None] * len(group)
        for waiting, result in zip(group, results, strict=True):
            if result is None:
                queue.alone.append(waiting)
            else:
                queue.keys_under_way -= waiting.keys
                _answer(waiting, result)

    async def _settle_alone(
        self, queue: _Queue[Job, Result], waiting: _Waiting[Job, Result], place: Place
    ) -> None:
        try:
            _answer(waiting, await self._run_alone(waiting.job, place.begin))
        except Exception as error:  # noqa: BLE001 - it is raised to the caller, who waits for it
            if not waiting.future.done():
                waiting.future.set_exception(error)
        finally:
            queue.keys_under_way -= waiting.keys
            waiting.future.cancel()


def _answer(waiting: _Waiting[Job, Result], result: Result) -> None:
    # Who has gone away needs no answer; what was done for them stays done.
    if not waiting.future.done():
        waiting.future.set_result(result)


def _refuse_all(
    queue: _Queue[Job, Result], group: Sequence[_Waiting[Job, Result]], error: Overloaded
) -> None:
    for waiting in group:
        queue.keys_under_way -= waiting.keys
        if not waiting.future.done():
            waiting.future.set_exception(Overloaded(error.message))


def _take_turn(queue: _Queue[Job, Result]) -> list[_Waiting[Job, Result]]:
    """Take a job that must be done alone, or the next group; in turn if there are both, so that neither holds the other up."""
    if queue.alone and not (queue.was_alone and queue.waiting):
        queue.was_alone = True
        return [queue.alone.popleft()]
    queue.was_alone = False
    group = _take_group(queue)
    if not group and queue.alone:
        group = [queue.alone.popleft()]
    return group


def _take_group(queue: _Queue[Job, Result]) -> list[_Waiting[Job, Result]]:
    """Take the next jobs in order, leaving those that share a key with what is under way for a later group.

    At most half of all that wait or are under way: two groups that overlap then become equally large. Were one to take all, the
    few that come after it would run one by one beside it, over and over.
    """
    size_max = min(GROUP_SIZE_MAX, (len(queue.waiting) + queue.under_way + 1) // 2)
    group: list[_Waiting[Job, Result]] = []
    left: deque[_Waiting[Job, Result]] = deque()
    lines = 0
    while queue.waiting and len(group) < size_max:
        waiting = queue.waiting.popleft()
        if waiting.future.cancelled():
            continue
        if group and lines + waiting.lines > GROUP_LINES_MAX:
            left.append(waiting)
            break
        if queue.keys_under_way.isdisjoint(waiting.keys):
            queue.keys_under_way |= waiting.keys
            group.append(waiting)
            lines += waiting.lines
        else:
            left.append(waiting)
    queue.waiting.extendleft(reversed(left))
    return group
