"""What a field needs is declared on it, and checked for the whole operation before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type, is_composite_type

from gateway.access import ANY_CREDENTIAL, Caller, Requirement, Scope, any_of
from gateway.http.field_access import find_requirement
from gateway.http.graphql_schema import GatewaySchema
from gateway.ids import IdKind, decode_id
from gateway.operations.model import OperationKind
from gateway.operations.scopes import FENCING, REQUIREMENTS
from gateway.storage.database import Database
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.marked_world import Corner, open_corners
from tests.use_cases import snapshot
from tests.walk_arguments import QUERIES, to_input
from tests.wallets import Wallets, open_wallets


class CompilingSchema(GatewaySchema):
    """Interprets a document at first and then compiles it, as the gateway does."""

    compile_at_use = 2


SCHEMA = build_schema(CompilingSchema)

GRANT = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) {
    ... on GrantRewardPayload { grant { id %s } } } }"""
BALANCES = GRANT % "member { balances { available } }"


@pytest.fixture
async def corner(database: Database) -> Corner:
    corner, *_ = await open_corners(database)
    return corner


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def run(context: Context, document: str, **variables: Any) -> tuple[Any, list[Any]]:
    """Run a document and return its data and errors."""
    result = await SCHEMA.execute(document, variables, context)
    return result.data, [error.formatted for error in result.errors or ()]


def root_fields(kind: str) -> Iterator[tuple[str, Requirement | None]]:
    root = SCHEMA._schema.type_map[kind]
    assert isinstance(root, GraphQLObjectType)
    for name, field in root.fields.items():
        yield name, find_requirement(field)


def test_every_root_field_says_what_it_needs() -> None:
    declared = [*root_fields("Query"), *root_fields("Mutation")]
    assert [name for name, requirement in declared if requirement is None] == []


def test_schema_without_a_declaration_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    from resolvers.queries.me import me  # noqa: PLC0415 - only here is it anything but a field

    monkeypatch.setattr(me, "metadata", {})
    with pytest.raises(TypeError, match="me does not say"):
        build_schema(GatewaySchema)


def lacks_scope(errors: list[Any], name: str) -> bool:
    refusals = [error for error in errors if error["extensions"]["code"] == "FORBIDDEN"]
    return any(error["extensions"].get("fieldPath") == [name] for error in refusals)


@pytest.mark.parametrize("scope", sorted(Scope))
async def test_root_fields_let_in_exactly_who_has_what_they_declare(
    corner: Corner, scope: Scope
) -> None:
    caller = replace(corner.caller, scopes=frozenset({scope}))
    let_in = {
        name for name, needed in root_fields("Query") if needed and needed.is_met_by(caller.scopes)
    }
    for name, arguments in QUERIES.items():
        document = f"{{ {name}{next(iter(arguments(corner)))} {_selection('Query', name)} }}"
        _, errors = await run(corner.context(caller), document)
        assert lacks_scope(errors, name) == (name not in let_in), (name, errors)
    declared = [(name, needed) for name, needed in root_fields("Mutation") if needed]
    before = await snapshot(corner.database)
    for name in [name for name, needed in declared if not needed.is_met_by(caller.scopes)]:
        data, errors = await call(corner, caller, name)
        assert data is None
        assert lacks_scope(errors, name), (name, errors)
    assert await snapshot(corner.database) == before
    for name in [name for name, needed in declared if needed.is_met_by(caller.scopes)]:
        _, errors = await call(corner, caller, name)
        assert not lacks_scope(errors, name), (name, errors)


async def call(corner: Corner, caller: Caller, name: str) -> tuple[Any, list[Any]]:
    input_type = f"{name[0].upper()}{name[1:]}Input"
    document = f"mutation ($input: {input_type}!) {{ {name}(input: $input) {{ __typename }} }}"
    return await run(corner.context(caller), document, input=to_input(name, corner))


def _selection(root: str, name: str) -> str:
    field = SCHEMA._schema.type_map[root].fields[name]  # type: ignore[attr-defined]
    return "{ __typename }" if is_composite_type(get_named_type(field.type)) else ""


def granter(wallets: Wallets) -> Caller:
    return replace(wallets.caller, scopes=frozenset({Scope.GRANT}))


async def grant_input(wallets: Wallets, key: str = "key-1") -> dict[str, Any]:
    (member_id,) = await wallets.add_members()
    return {
        "clientReference": key,
        "member": {"externalId": f"customer-{member_id}"},
        "reward": {"custom": {"amount": "5.00"}},
        "actionCode": "check-in",
    }


@pytest.mark.parametrize(
    "document",
    [
        BALANCES,
        GRANT % "member { ... { alias: balances { available } } }",
        GRANT % "member { ... on Node { ... on Member { balances { available } } } }",
        GRANT % "member { ...wanted }" + " fragment wanted on Member { balances { available } }",
        GRANT % "member { balances @skip(if: true) { available } }",
        GRANT % "member { groups { id } }",
        BALANCES.replace("mutation", "mutation named") + " query other { __typename }",
    ],
)
async def test_refused_selection_leaves_nothing_done(wallets: Wallets, document: str) -> None:
    given = await grant_input(wallets)
    before = await snapshot(wallets.database)
    # Not yet compiled, and as often as it would be.
    for _ in range(3):
        context = Context(wallets.database, granter(wallets), "test")
        name = "named" if "named" in document else None
        result = await SCHEMA.execute(document, {"input": given}, context, operation_name=name)
        assert result.data is None
        (error,) = result.errors or []
        assert error.path is None
        assert error.message.startswith(
            "This credential lacks the scope that grantReward.grant.member."
        )
        assert error.message.endswith("needs: read or member. Nothing was done.")
        assert error.extensions is not None
        assert error.extensions["code"] == "FORBIDDEN"
        assert error.extensions["requiredScopes"] == [["read"], ["member"]]
        assert error.extensions["fieldPath"][:3] == ["grantReward", "grant", "member"]
    assert await snapshot(wallets.database) == before


async def test_field_of_an_interface_needs_what_the_types_need_that_have_it(
    wallets: Wallets,
) -> None:
    given = await grant_input(wallets)
    before = await snapshot(wallets.database)
    context = Context(wallets.database, granter(wallets), "test")
    data, (error,) = await run(
        context, GRANT % "reward { ... on RewardDefinition { segments { id } } }", input=given
    )
    assert data is None
    assert error["extensions"]["field"] == "RewardDefinition.segments"
    assert error["extensions"]["fieldPath"] == ["grantReward", "grant", "reward", "segments"]
    assert error["extensions"]["requiredScopes"] == [["read"], ["catalog"], ["member"]]
    assert await snapshot(wallets.database) == before


async def test_one_refused_mutation_refuses_all(wallets: Wallets) -> None:
    document = """mutation ($input: GrantRewardInput!, $vendor: CreateSegmentInput!) {
        grantReward(input: $input) { __typename } createSegment(input: $vendor) { __typename } }"""
    given = await grant_input(wallets)
    before = await snapshot(wallets.database)
    context = Context(wallets.database, granter(wallets), "test")
    data, (error,) = await run(
        context, document, input=given, vendor={"requestId": "1", "name": "Gold"}
    )
    assert data is None
    assert error["extensions"]["fieldPath"] == ["createSegment"]
    assert await snapshot(wallets.database) == before


async def test_query_answers_what_is_not_refused(wallets: Wallets) -> None:
    context = Context(wallets.database, granter(wallets), "test")
    data, (error,) = await run(context, "{ me { id } members { totalCount } __typename }")
    assert data == {"me": None, "members": None, "__typename": "Query"}
    assert (error["path"], error["extensions"]["field"]) == (["members"], "Query.members")


@pytest.mark.parametrize("document", ["{ me { id } }", BALANCES])
async def test_nobody_may_ask_for_anything(wallets: Wallets, document: str) -> None:
    given = await grant_input(wallets)
    before = await snapshot(wallets.database)
    variables = {"input": given} if "$input" in document else {}
    data, (error,) = await run(Context(wallets.database, None, "test"), document, **variables)
    assert data is None
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert await snapshot(wallets.database) == before


@pytest.mark.parametrize("times", [1, 3])
async def test_failing_mutation_takes_no_other_answer_with_it(wallets: Wallets, times: int) -> None:
    document = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) {
            ... on GrantRewardPayload { grant { id } } }
        createProduct(input: {requestId: "%s", name: "Mug"}) { __typename } }"""
    # Both are this caller's; the second breaks where nobody foresaw it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.rewards.products.create_product", _fail)
        for time in range(times):
            given = await grant_input(wallets, f"key-{time}")
            context = Context(wallets.database, wallets.caller, "test")
            data, (error,) = await run(context, document % "p-1", input=given)
            assert data["createProduct"] is None
            assert data["grantReward"]["grant"]["id"].startswith("XT_")
            assert error["path"] == ["createProduct"]
            assert error["extensions"]["code"] == "INTERNAL"
            await assert_granted(wallets, data["grantReward"]["grant"]["id"])


async def _fail(*_: Any) -> None:
    raise RuntimeError("nobody foresaw it")


async def assert_granted(wallets: Wallets, public_id: str) -> None:
    grant_id = decode_id(IdKind.GRANT, public_id)
    rows = await wallets.database.fetch("SELECT id FROM grants WHERE id = $1", grant_id)
    assert len(rows) == 1


@pytest.mark.parametrize(
    "part",
    [
        "grants(first: 500) { totalCount }",
        'ledgerEntries(after: "nothing") { totalCount }',
        "nextExpirations(first: 0) { amount }",
        "holds(first: 1, last: 1) { totalCount }",
        "notifications(first: -1) { totalCount }",
    ],
)
async def test_what_was_done_is_answered_though_a_part_of_it_fails(
    wallets: Wallets, part: str
) -> None:
    document = GRANT % f"status member {{ id {part} }}"
    for time in range(3):
        given = await grant_input(wallets, f"key-{time}")
        context = Context(wallets.database, wallets.caller, "test")
        data, (error,) = await run(context, document, input=given)
        grant = data["grantReward"]["grant"]
        assert grant["member"]["id"].startswith("mem_")
        assert grant["member"][part.partition("(")[0]] is None
        assert error["path"][:3] == ["grantReward", "grant", "member"]
        await assert_granted(wallets, grant["id"])


@pytest.mark.parametrize(
    ("broken", "selection"),
    [
        ("resolvers.types.member_reads.ask_members", "member { createdAt }"),
        ("resolvers.types.grant.present_granted_reward", "reward { ... on Node { id } }"),
        ("resolvers.types.member.load_member_balances", "member { balances { available } }"),
    ],
)
async def test_what_was_done_is_answered_though_it_cannot_be_read(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch, broken: str, selection: str
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("gone")

    monkeypatch.setattr(broken, fail)
    context = Context(wallets.database, wallets.caller, "test")
    data, errors = await run(context, GRANT % selection, input=await grant_input(wallets))
    assert [error["extensions"]["code"] for error in errors] == ["INTERNAL"]
    await assert_granted(wallets, data["grantReward"]["grant"]["id"])


def test_mutations_declare_what_their_kind_of_operation_needs() -> None:
    declared = dict(root_fields("Mutation"))
    needed = {_to_field(kind): needed for kind, needed in REQUIREMENTS.items()}
    assert set(REQUIREMENTS) == set(OperationKind)
    assert needed.pop("issueRewardsItem") == needed["issueRewards"]
    assert needed.pop("expire").alternatives == ()
    assert declared.pop("fenceOperation") == FENCING
    assert needed == declared


def _to_field(kind: OperationKind) -> str:
    first, *others = kind.value.lower().split("_")
    return first + "".join(other.capitalize() for other in others)


FENCE = """mutation ($kind: OperationKind!) { fenceOperation(input: {kind: $kind, key: "key-1"}) {
    ... on FenceOperationPayload { fenced } } }"""
LOOK_UP = 'query ($kind: OperationKind!) { operation(kind: $kind, key: "key-1") { state } }'


@pytest.mark.parametrize("scope", sorted(Scope))
async def test_key_is_fenced_and_looked_up_by_who_may_use_it(
    wallets: Wallets, scope: Scope
) -> None:
    caller = replace(wallets.caller, scopes=frozenset({scope}))
    fenced = {kind for kind in OperationKind if REQUIREMENTS[kind].is_met_by(caller.scopes)}
    for kind in OperationKind:
        await assert_key_is_for(wallets, caller, kind, may_fence=kind in fenced)
    rows = await wallets.database.fetch("SELECT kind FROM operations")
    assert {row["kind"] for row in rows} == fenced


async def assert_key_is_for(
    wallets: Wallets, caller: Caller, kind: OperationKind, *, may_fence: bool
) -> None:
    data, errors = await run(Context(wallets.database, caller, "test"), LOOK_UP, kind=kind.value)
    assert [error["extensions"]["code"] for error in errors] == (
        [] if may_fence or Scope.READ in caller.scopes else ["FORBIDDEN"]
    )
    data, errors = await run(Context(wallets.database, caller, "test"), FENCE, kind=kind.value)
    if may_fence:
        assert (data, errors) == ({"fenceOperation": {"fenced": True}}, [])
    else:
        assert [error["extensions"]["code"] for error in errors] == ["FORBIDDEN"]


def test_requirements_are_met_by_every_scope_of_one_alternative() -> None:
    needed = any_of([Scope.READ, frozenset({Scope.GRANT, Scope.CODES})])
    assert str(needed) == "read or grant and codes"
    assert needed.is_met_by(frozenset({Scope.READ}))
    assert needed.is_met_by(frozenset({Scope.GRANT, Scope.CODES, Scope.HOLD}))
    assert not needed.is_met_by(frozenset({Scope.CODES, Scope.HOLD}))
    assert ANY_CREDENTIAL.is_met_by(frozenset())
