"""What each field needs of a credential, as a page: what stands in docs/scopes.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import strawberry
from graphql import GraphQLObjectType

from gateway.access import ANY_CREDENTIAL, REQUIREMENT_KEY, Requirement, Scope
from gateway.operations.scopes import REQUIREMENTS
from resolvers.schema import build_schema

INTRODUCTION = """# What each field needs

Made from the schema by `make scopes`; do not edit. The same stands in `schema.graphql` as `@requiresScopes` and `@authenticated`.

A credential needs one of the scopes named; where `and` stands between some, all of those. A field that is not listed needs no more
than what it stands below. The whole operation is checked before anything runs, and whatever is selected counts: below `@skip` and
`@include`, in fragments, and for each type that an interface or union may turn out to be. A mutation of which one field is refused is
refused as a whole, and nothing is done; a query answers what is not refused, and null with an error for each field that is. Errors
have the code `FORBIDDEN`, with `field`, `fieldPath` and `requiredScopes`. A member's own token has the scope `member` and no other.
"""


def print_scopes() -> str:
    """Return the page, ending in a line feed."""
    schema = build_schema(strawberry.Schema)._schema
    roots = {"Query": "Queries", "Mutation": "Mutations"}
    parts = [INTRODUCTION]
    for name, title in roots.items():
        parts += [f"## {title}\n", _table(_needs_of(schema.type_map[name]), "Field")]
    others = [
        (f"{name}.{field}", needed)
        for name, graphql_type in sorted(schema.type_map.items())
        if name not in roots
        for field, needed in _needs_of(graphql_type)
    ]
    kinds = [(kind.value, needed) for kind, needed in REQUIREMENTS.items() if str(needed)]
    parts += ["## Other fields\n", _table(others, "Field")]
    parts += [
        "## Idempotency keys\n",
        "`fenceOperation` needs what the fenced kind of operation needs; `operation` that, or `read`.\n",
        _table(kinds, "Kind"),
        "## Scopes that open no field by themselves\n",
        _list_others(schema.type_map.values()),
    ]
    return "\n".join(parts)


def _needs_of(graphql_type: object) -> Iterator[tuple[str, Requirement]]:
    if isinstance(graphql_type, GraphQLObjectType):
        for name, field in graphql_type.fields.items():
            definition = field.extensions.get("strawberry-definition")
            needed = getattr(definition, "metadata", {}).get(REQUIREMENT_KEY)
            if needed is not None:
                yield name, needed


def _table(rows: Iterable[tuple[str, Requirement]], of: str) -> str:
    lines = [f"| {of} | Needs |", "|---|---|"]
    for name, needed in rows:
        said = "any credential" if needed == ANY_CREDENTIAL else str(needed)
        lines.append(f"| `{name}` | {said} |")
    return "\n".join([*lines, ""])


def _list_others(types: Iterable[object]) -> str:
    named = {
        scope
        for graphql_type in types
        for _, needed in _needs_of(graphql_type)
        for alternative in needed.alternatives
        for scope in alternative
    }
    said = {
        Scope.SKIP_VALIDATION: "lets `issueRewards` skip a till's validation code.",
        Scope.CODES: "shows coupon codes and vouchers in full, which others see masked.",
    }
    return "".join(f"- `{scope.value}` {said[scope]}\n" for scope in Scope if scope not in named)
