"""One execution of a compiled operation: what its resolvers share, and what it still waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import GraphQLResolveInfo
from graphql.execution.values import VariableValues, get_variable_values
from strawberry import Info

from gateway.http.execution.source import Unfit
from gateway.promises import Promise

if TYPE_CHECKING:
    from gateway.http.execution.operation import Plan

# Where the completed value goes, what is waited for, and what completes it.
Pending: TypeAlias = "tuple[dict[str, Any], str, Awaitable[Any], Callable[[Any, Run], Any]]"


class Run:
    """The state of one execution. Generated code appends to `pending` what it cannot complete at once."""

    __slots__ = (
        "_arguments",
        "_variable_values",
        "context",
        "given",
        "infos",
        "pending",
        "plan",
        "variables",
    )

    def __init__(
        self, plan: Plan, context: object, given: Mapping[str, Any], variables: dict[str, Any]
    ) -> None:
        """Start with nothing resolved; `variables` are coerced, `given` are as the client sent them."""
        self.plan = plan
        self.context = context
        self.given = given
        self.variables = variables
        self.pending: list[Pending] = []
        # Of each field that has asked for it; generated code looks here first.
        self.infos: list[Info[Any, None] | None] = [None] * len(plan.calls)
        self._arguments: dict[int, dict[str, Any]] = {}
        self._variable_values: VariableValues | None = None

    def info(self, number: int) -> Info[Any, None]:
        """Return the `Info` of a field, made when it is first asked for."""
        info = self.infos[number]
        if info is None:
            info = self.infos[number] = self.plan.calls[number].make_info(self)
        return info

    def raw_info(self, number: int) -> GraphQLResolveInfo[Any]:
        """Return graphql-core's info of a field."""
        return self.plan.calls[number].make_raw_info(self.plan, self.context, self.variables)

    def arguments(self, number: int) -> dict[str, Any]:
        """Return a field's arguments, made when they are first asked for."""
        arguments = self._arguments.get(number)
        if arguments is None:
            arguments = self._arguments[number] = self.plan.calls[number].make_arguments(self)
        return arguments

    def graphql_arguments(self, number: int) -> dict[str, Any]:
        """Return a field's arguments as graphql-core coerces them."""
        return self.plan.calls[number].make_graphql_arguments(self)

    @property
    def variable_values(self) -> VariableValues:
        """Return the variables as graphql-core coerces them, for arguments that hold some within literals.

        Raises:
            Unfit: they cannot be coerced.
        """
        if self._variable_values is None:
            plan = self.plan
            definitions = plan.operation.variable_definitions or ()
            values = get_variable_values(plan.schema, definitions, dict(self.given), max_errors=0)
            if isinstance(values, list):
                raise Unfit("variables")
            self._variable_values = values
        return self._variable_values

    def complete(
        self, out: dict[str, Any], name: str, value: Any, complete: Callable[[Any, Run], Any]
    ) -> None:
        """Put a value that is not of the usual class where it belongs: at once, or when it has come."""
        if hasattr(value, "__await__"):
            # Its place is kept: keys stand in the order of the operation.
            out[name] = None
            self.pending.append((out, name, value, complete))
        else:
            out[name] = complete(value, self)

    async def settle(self) -> None:
        """Await what is pending and complete it, and what that leaves pending, until nothing is.

        All that is pending at one time runs concurrently, so that the loaders see their keys together.

        Raises:
            Exception: the first that was raised; nothing is left running.
        """
        while self.pending:
            pending, self.pending = self.pending, []
            for (out, name, _, complete), value in zip(
                pending, await _wait_for_all(pending), strict=True
            ):
                out[name] = complete(value, self)

    def abandon(self) -> None:
        """Close what was never awaited: the execution has failed."""
        for _, _, awaitable, _ in self.pending:
            if asyncio.iscoroutine(awaitable):
                awaitable.close()
            elif isinstance(awaitable, asyncio.Future):
                # Others may wait for it too; its failure, if it has one, is nobody's news any more.
                awaitable.add_done_callback(_ignore_outcome)
        self.pending = []


async def _wait_for_all(pending: list[Pending]) -> list[Any]:
    """Return the values of what is pending; or raise the first failure, and leave nothing running."""
    awaitables = [awaitable for _, _, awaitable, _ in pending]
    if all(awaitable.__class__ is Promise for awaitable in awaitables):
        # All has been asked for that can be, and what brings one brings all.
        return [await promise.come() for promise in awaitables]  # type: ignore[attr-defined]  # see above
    if len(awaitables) == 1:
        return [await awaitables[0]]
    values = await asyncio.gather(*awaitables, return_exceptions=True)
    for value in values:
        if isinstance(value, BaseException):
            raise value
    return values


def _ignore_outcome(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
