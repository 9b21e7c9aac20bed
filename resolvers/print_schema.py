"""The contract as text: what stands in /schema.graphql."""

from __future__ import annotations

import strawberry
from strawberry.printer import print_schema

from resolvers.schema import build_schema


def print_contract() -> str:
    """Return the schema in the schema definition language, ending in a line feed."""
    return print_schema(build_schema(strawberry.Schema)).rstrip() + "\n"
