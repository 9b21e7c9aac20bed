"""Watches which operations succeed without being compiled: they are right, but slow, and nobody would notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pytest

from gateway.http.execution.operation import CompiledOperation
from gateway.http.graphql_schema import GatewaySchema

_compiled: ContextVar[list[bool] | None] = ContextVar("compiled", default=None)


@contextmanager
def watching_compiled() -> Iterator[list[str]]:
    """Give a list that grows by the text of each operation that graphql-core, not compiled code, executes without errors."""
    interpreted: list[str] = []
    execute, run = GatewaySchema.execute, CompiledOperation.run

    async def watched_run(self: CompiledOperation, *arguments: Any) -> Any:
        data = await run(self, *arguments)
        if (successes := _compiled.get()) is not None:
            successes.append(True)
        return data

    async def watched_execute(
        self: GatewaySchema, query: str | None, *arguments: Any, **options: Any
    ) -> Any:
        successes: list[bool] = []
        token = _compiled.set(successes)
        try:
            result = await execute(self, query, *arguments, **options)
        finally:
            _compiled.reset(token)
        # Extensions look into an execution by graphql-core, and some tests interpret on purpose: neither is for compiled code.
        is_compiled = not self.extensions and self.compile_at_use == GatewaySchema.compile_at_use
        if is_compiled and not (result.errors or successes):
            interpreted.append(str(query))
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CompiledOperation, "run", watched_run)
        patch.setattr(GatewaySchema, "execute", watched_execute)
        yield interpreted


def is_introspection(text: str) -> bool:
    """Tell whether an operation reads the schema: graphql-core's own fields are not compiled, and nobody is in a hurry for them."""
    return "__schema" in text or "__type(" in text
