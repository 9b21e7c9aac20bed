"""Conditions in the Common Expression Language (CEL), and what they are evaluated on. The only file that knows the library.

Compiled once a process; evaluated on facts alone, without side effects, within a bound of work for each event
(docs/decisions/0024-conditions-in-cel.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson

from gateway.campaigns.expression import (
    EXPRESSION_LENGTH_MAX,
    FUNCTIONS,
    VARIABLES,
    Cost,
    InvalidExpression,
    find_name,
    measure,
    refuse_unbounded,
    tokenize,
)
from gateway.text import find_forbidden_character

if TYPE_CHECKING:
    # Imported when the first condition is compiled: it brings a command line with it, which takes a tenth of a start.
    import cel

CACHED_CONDITIONS_MAX = 10_000
# In bytes looked at, for all conditions of one event together; about ten nanoseconds each at worst.
WORK_PER_EVENT_MAX = 10_000_000
FACTS_OVERHEAD_BYTES = 1_024
REASON_LENGTH_MAX = 200

_PLACE = re.compile(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition, and what it costs."""

    program: cel.Program
    cost: Cost


class EvaluationFailed(Exception):
    """The condition has no answer on these facts: a field is missing, types do not fit, or it costs too much."""


@lru_cache(maxsize=CACHED_CONDITIONS_MAX)
def compile_condition(source: str) -> Condition:
    """Return the condition that an expression spells.

    Raises:
        InvalidExpression: it breaks a rule of the language, or of what this gateway takes of it.
    """
    if len(source) > EXPRESSION_LENGTH_MAX:
        problem = f"an expression has at most {EXPRESSION_LENGTH_MAX} characters."
        raise InvalidExpression("length", problem)
    if problem := find_forbidden_character(source) or "":
        raise InvalidExpression("characters", f"an expression {problem}.")
    tokens = tokenize(source)
    import cel  # noqa: PLC0415 - see above

    try:
        program = cel.compile(source)
    except ValueError as error:
        raise _to_invalid(error) from error
    refuse_unbounded(tokens)
    cost = measure(source, tokens)
    named = {body.bound_name for body in cost.bodies} | VARIABLES
    for name in program.variables():
        if name not in named:
            token = find_name(tokens, name)
            problem = f"{name} is not one of the variables {', '.join(sorted(VARIABLES))}."
            raise InvalidExpression("name", problem, token.line, token.column)
    for name in program.functions():
        # Operators have names that are not identifiers.
        if name.isidentifier() and name not in FUNCTIONS:
            token = find_name(tokens, name)
            problem = f"there is no function {name}."
            raise InvalidExpression("function", problem, token.line, token.column)
    return Condition(program, cost)


def _to_invalid(error: ValueError) -> InvalidExpression:
    found = _PLACE.search(str(error))
    if found is None:
        return InvalidExpression("syntax", "this is not an expression.")
    line, column, problem = found.groups()
    # The rest lists every token that could have stood there.
    problem = problem.partition(" expecting ")[0][:REASON_LENGTH_MAX]
    return InvalidExpression("syntax", f"{problem}.", int(line), int(column))


@dataclass(slots=True)
class Evaluation:
    """One event's facts, and how much work its conditions have left."""

    payload: Mapping[str, Any]
    member: Mapping[str, Any]
    event: Mapping[str, Any]
    occurred_at: datetime
    now: datetime
    work_left: int = WORK_PER_EVENT_MAX
    _contexts: dict[str, cel.Context] = field(default_factory=dict)
    _sizes: tuple[int, int] | None = None

    def holds(self, source: str, time_zone: str) -> bool:
        """Tell whether the condition holds; `local` is the event's time in this zone.

        Raises:
            EvaluationFailed: it has no answer; the message says why.
        """
        condition = compile_condition(source)
        self._sizes = self._sizes or _measure_facts(self.payload)
        work = condition.cost.work(*self._sizes)
        if work > self.work_left:
            message = "The conditions of this event cost too much to evaluate."
            raise EvaluationFailed(message)
        self.work_left -= work
        try:
            answer = condition.program.execute(self._context(time_zone))
        # The library raises what Python's own operators would: KeyError, TypeError, OverflowError and so on.
        except Exception as error:
            raise EvaluationFailed(_explain(error)) from error
        if not isinstance(answer, bool):
            message = f"The condition must be true or false; it is a {type(answer).__name__}."
            raise EvaluationFailed(message)
        return answer

    def _context(self, time_zone: str) -> cel.Context:
        if time_zone not in self._contexts:
            import cel  # noqa: PLC0415 - see above

            facts = {
                "payload": dict(self.payload),
                "member": dict(self.member),
                "event": dict(self.event),
                "local": _to_local(self.occurred_at, time_zone),
                "now": self.now,
            }
            self._contexts[time_zone] = cel.Context(variables=facts)
        return self._contexts[time_zone]


def _to_local(at: datetime, time_zone: str) -> dict[str, Any]:
    local = at.astimezone(ZoneInfo(time_zone))
    return {
        "date": local.date().isoformat(),
        "year": local.year,
        "month": local.month,
        "day": local.day,
        "weekday": local.isoweekday(),
        "hour": local.hour,
        "minute": local.minute,
    }


def _measure_facts(payload: Mapping[str, Any]) -> tuple[int, int]:
    """Return the size of the facts in bytes, and the length of their longest list or object."""
    longest = 0
    level: list[Any] = [dict(payload)]
    while level:
        longest = max(longest, *map(len, level))
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    return len(orjson.dumps(dict(payload))) + FACTS_OVERHEAD_BYTES, longest


def _explain(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"The condition failed: there is no field {error.args[0]!r}."[:REASON_LENGTH_MAX]
    # The first sentence is about the case; the others teach the language.
    return f"The condition failed: {str(error).split('. ')[0]}."[:REASON_LENGTH_MAX]
