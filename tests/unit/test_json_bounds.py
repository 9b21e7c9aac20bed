"""What is large for JSON, and what is too large."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from gateway.http.json_values import decode_json
from gateway.http.refusals import RequestRefused


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("largest", "too_large", "message"),
    [
        (
            [0] * 20_000,
            [0] * 20_001,
            "The body has 20001 items; at most 20000 are allowed.",
        ),
        (
            {"a": {str(number): 0 for number in range(1_000)}},
            {"a": {str(number): 0 for number in range(1_001)}},
            "a has 1001 names; at most 1000 are allowed.",
        ),
        (nested(66), nested(67), "Variables nest deeper than 64 levels."),
        (
            [[0] * 12_498] * 20,
            [[0] * 12_500] * 20,
            "The body has more than 250000 values.",
        ),
    ],
    ids=["items", "names", "depth", "values"],
)
def test_bound_is_where_it_says(largest: Any, too_large: Any, message: str) -> None:
    assert decode_json(orjson.dumps(largest)) == largest
    with pytest.raises(RequestRefused) as refusal:
        decode_json(orjson.dumps(too_large))
    assert refusal.value.message == message
