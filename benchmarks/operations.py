"""The GraphQL operations that are asked, one file each in `graphql/`."""

from __future__ import annotations

from pathlib import Path

import orjson

GRAPHQL_DIR = Path(__file__).parent / "graphql"


def operation_body(name: str, variables: dict[str, object]) -> str:
    """Return a request body for `graphql/<name>.graphql`, as a client's minifier would send it."""
    query = " ".join((GRAPHQL_DIR / f"{name}.graphql").read_text().split())
    return orjson.dumps({"query": query, "variables": variables}).decode()
