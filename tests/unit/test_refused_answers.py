"""Answers to requests that are refused stay small, whatever their errors quote."""

from __future__ import annotations

import orjson
import pytest
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from gateway.http.graphql_endpoint import _to_answer
from gateway.http.media_types import GRAPHQL_RESPONSE


@pytest.mark.parametrize(("alias_length", "error_count"), [(10, 10), (3_000, 4), (20_000, 1)])
def test_as_many_errors_are_told_as_fit(alias_length: int, error_count: int) -> None:
    """A long alias stands in the path of each field that is refused below it."""
    errors = [
        GraphQLError("x" * 300, extensions={"fieldPath": ["y" * alias_length]}) for _ in range(10)
    ]
    answer = _to_answer(ExecutionResult(data=None, errors=errors), GRAPHQL_RESPONSE)
    content = orjson.loads(answer.body)
    assert answer.status == 400
    assert len(content["errors"]) == error_count
    assert "data" not in content
