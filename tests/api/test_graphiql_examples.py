"""GraphiQL's tabs run as they stand against the demo data, over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from gateway.http.graphiql_examples import EXAMPLES_DIR, load_tabs
from gateway.http.graphql_schema import GatewaySchema

# A document that comes so often is compiled.
NEVER = 1_000_000_000
NAMES = [path.stem for path in sorted(EXAMPLES_DIR.glob("*.graphql"))]


async def send_tab(demo_client: httpx.AsyncClient, tab: dict[str, str]) -> bytes:
    answer = await demo_client.post(
        "/graphql",
        json={"query": tab["query"], "variables": orjson.loads(tab["variables"] or "{}")},
        headers=orjson.loads(tab["headers"]),
    )
    assert answer.status_code == 200, answer.text
    return answer.content


async def run_tab(demo_client: httpx.AsyncClient, tab: dict[str, str]) -> Any:
    body = orjson.loads(await send_tab(demo_client, tab))
    assert "errors" not in body
    return body["data"]


@pytest.mark.requirement("ALL-5")
@pytest.mark.parametrize("name", NAMES)
async def test_example_runs_as_it_stands(
    demo_client: httpx.AsyncClient,
    tmp_path: Path,
    name: str,
    interpreted_operations: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each example answers data, and each mutation its payload rather than a failure, compiled or interpreted."""
    tab = load_tabs(tmp_path, with_tokens=True)[NAMES.index(name)]
    assert "{{" not in tab["variables"]
    for value in (await run_tab(demo_client, tab)).values():
        assert value
        if "mutation " in tab["query"]:
            assert value["__typename"].endswith("Payload")
    before = list(interpreted_operations)
    again = await send_tab(demo_client, tab)
    assert interpreted_operations == before
    monkeypatch.setattr(GatewaySchema, "compile_at_use", NEVER)
    # Byte for byte: a query's answer, or a mutation's replay, with its keys in their order.
    assert await send_tab(demo_client, tab) == again
    assert interpreted_operations.pop() == tab["query"]
    assert interpreted_operations == before


@pytest.mark.requirement("ALL-5")
async def test_examples_run_one_after_the_other(
    demo_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    """What an earlier example has spent is nothing that a later one needs; and each may be run again."""
    tabs = load_tabs(tmp_path, with_tokens=True)
    for _ in range(2):
        for tab in tabs:
            for value in (await run_tab(demo_client, tab)).values():
                assert "__typename" not in value or value["__typename"].endswith("Payload"), value


@pytest.mark.requirement("ALL-5", "OWN-6")
async def test_example_repeated_is_a_replay(demo_client: httpx.AsyncClient, tmp_path: Path) -> None:
    """Pressing the button twice shows idempotency."""
    tabs = load_tabs(tmp_path, with_tokens=True)
    tab = tabs[NAMES.index("30-grant-custom")]
    first = (await run_tab(demo_client, tab))["grantReward"]
    second = (await run_tab(demo_client, tab))["grantReward"]
    assert (first["idempotentReplay"], second["idempotentReplay"]) == (False, True)
    assert first["grant"] == second["grant"]
