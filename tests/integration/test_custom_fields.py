"""Custom fields are declared first, and an item carries what is declared (CAP-14)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.access import Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput
from gateway.grants.status import StatusCode
from gateway.issuing.custom_fields.defining import DefineCustomField, define_custom_field
from gateway.issuing.custom_fields.model import (
    CHOICES_MAX,
    FIELDS_PER_ITEM_MAX,
    FIELDS_PER_ORGANIZATION_MAX,
    CustomField,
    CustomFieldType,
    GivenField,
)
from gateway.issuing.custom_fields.store import fetch_fields
from gateway.operations.model import IdempotencyConflict
from tests.catalog import Shop
from tests.issuing_cases import declare_field
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    codes_of,
    count,
    issue,
    item,
    snapshot,
    without,
)

STRING, INTEGER, DECIMAL, BOOLEAN, DATE, ENUM = CustomFieldType
NAME = ("input", "name")
CHOICES = ("input", "choices")


async def declare_all(shop: Shop) -> None:
    for kind in (STRING, INTEGER, DECIMAL, BOOLEAN, DATE):
        await declare_field(shop, kind.lower(), kind)
    await declare_field(shop, "size", ENUM, choices=("S", "M"))


@pytest.mark.requirement("CAP-14")
async def test_values_of_every_type_are_kept_on_the_grant(shop: Shop) -> None:
    await declare_all(shop)
    member_id, reward = await add_member(shop), await shop.create_reward()
    given = (
        GivenField("string", STRING, "hello"),
        GivenField("integer", INTEGER, -3),
        GivenField("decimal", DECIMAL, "1.5"),
        GivenField("boolean", BOOLEAN, False),
        GivenField("date", DATE, "2024-02-29"),
        GivenField("size", ENUM, "M"),
    )
    outcome = await issue(shop, "1", member_id, item(reward, custom_fields=given))
    (result,) = outcome.items
    assert result.grant is not None
    assert result.grant.details["custom_fields"] == [
        {"name": "string", "type": "STRING", "value": "hello"},
        {"name": "integer", "type": "INTEGER", "value": -3},
        {"name": "decimal", "type": "DECIMAL", "value": "1.5"},
        {"name": "boolean", "type": "BOOLEAN", "value": False},
        {"name": "date", "type": "DATE", "value": "2024-02-29"},
        {"name": "size", "type": "ENUM", "value": "M"},
    ]
    again = await issue(shop, "1", member_id, item(reward, custom_fields=given))
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("CAP-14")
@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (GivenField("color", STRING, "red"), "No custom field 'color' is declared."),
        (GivenField("String", STRING, "red"), "No custom field 'String' is declared."),
        (
            GivenField("string", INTEGER, 1),
            "The custom field 'string' is declared as STRING, not INTEGER.",
        ),
        (
            GivenField("size", STRING, "S"),
            "The custom field 'size' is declared as ENUM, not STRING.",
        ),
        (
            GivenField("size", ENUM, "XL"),
            "The custom field 'size' must be one of its declared choices.",
        ),
        (
            GivenField("date", DATE, "2023-02-29"),
            "The custom field 'date' must be a date, as 2026-11-23.",
        ),
        (
            GivenField("date", DATE, "20260101"),
            "The custom field 'date' must be a date, as 2026-11-23.",
        ),
        (GivenField("date", DATE, ""), "The custom field 'date' must be a date, as 2026-11-23."),
    ],
)
async def test_undeclared_or_mistyped_value_fails_that_item(
    shop: Shop, given: GivenField, reason: str
) -> None:
    await declare_all(shop)
    member_id, reward = await add_member(shop), await shop.create_reward()
    outcome = await issue(shop, "1", member_id, item(reward, custom_fields=(given,)), item(reward))
    assert codes_of(outcome) == [StatusCode.INVALID_CUSTOM_FIELD, StatusCode.GRANTED]
    assert outcome.items[0].status.message == reason
    assert await count(shop, "grants") == 1


@pytest.mark.requirement("CAP-14")
async def test_missing_required_field_fails_that_item_with_every_reason(shop: Shop) -> None:
    await declare_field(shop, "invoice", is_required=True)
    await declare_field(shop, "size", ENUM, is_required=True, choices=("S",))
    await declare_field(shop, "note")
    member_id, reward = await add_member(shop), await shop.create_reward()
    complete = (GivenField("invoice", STRING, ""), GivenField("size", ENUM, "S"))
    outcome = await issue(shop, "1", member_id, item(reward), item(reward, custom_fields=complete))
    assert codes_of(outcome) == [StatusCode.INVALID_CUSTOM_FIELD, StatusCode.GRANTED]
    assert outcome.items[0].status.message == (
        "The custom field 'invoice' is required. The custom field 'size' is required."
    )


@pytest.mark.requirement("CAP-14", "MON-13")
async def test_declarations_are_the_organizations_own(shop: Shop) -> None:
    neighbors = Shop(shop.database, shop.neighbor, shop.caller)
    await declare_field(neighbors, "invoice", is_required=True)
    member_id, reward = await add_member(shop), await shop.create_reward()
    given = (GivenField("invoice", STRING, "1"),)
    outcome = await issue(shop, "1", member_id, item(reward), item(reward, custom_fields=given))
    assert codes_of(outcome) == [StatusCode.GRANTED, StatusCode.INVALID_CUSTOM_FIELD]


@pytest.mark.requirement("CAP-14")
async def test_declaration_can_be_relaxed_and_keeps_its_type(shop: Shop) -> None:
    await declare_field(shop, "size", ENUM, is_required=True, choices=("S",))
    await declare_field(shop, "size", ENUM, choices=("S", "M"))
    before = await snapshot(shop.database)
    with pytest.raises(AlreadyExists) as raised:
        await declare_field(shop, "size", STRING)
    assert raised.value.path == NAME
    assert await snapshot(shop.database) == before
    async with shop.database.connection() as connection:
        scope = (shop.caller.tenant_id, shop.caller.organization_id)
        assert await fetch_fields(connection, *scope) == [
            CustomField("size", ENUM, is_required=False, choices=("S", "M"))
        ]


@pytest.mark.requirement("CAP-14", "ALL-2")
async def test_declaration_is_replayed_and_a_changed_one_conflicts(shop: Shop) -> None:
    command = DefineCustomField("1", CustomField("size", STRING, is_required=False))
    first = await define_custom_field(shop.database, shop.caller, command)
    assert not first.idempotent_replay
    again = await define_custom_field(shop.database, shop.caller, command)
    assert again == replace(first, idempotent_replay=True)
    changed = DefineCustomField("1", CustomField("size", STRING, is_required=True))
    with pytest.raises(IdempotencyConflict):
        await define_custom_field(shop.database, shop.caller, changed)


@pytest.mark.requirement("CAP-14")
@pytest.mark.parametrize(
    ("field", "path", "rule"),
    [
        (CustomField("", STRING, False), NAME, "required"),
        (CustomField("x" * 65, STRING, False), NAME, "length"),
        (CustomField(NUL, STRING, False), NAME, "characters"),
        (CustomField(SURROGATE, STRING, False), NAME, "characters"),
        (CustomField("size", ENUM, False), CHOICES, "count"),
        (CustomField("size", ENUM, False, ("x",) * (CHOICES_MAX + 1)), CHOICES, "count"),
        (CustomField("size", ENUM, False, ("S", "S")), CHOICES, "unique"),
        (CustomField("size", ENUM, False, ("S", "")), (*CHOICES, "1"), "required"),
        (CustomField("size", STRING, False, ("S",)), CHOICES, "unexpected"),
    ],
)
async def test_malformed_declaration_is_named_by_path(
    shop: Shop, field: CustomField, path: tuple[str, ...], rule: str
) -> None:
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await define_custom_field(shop.database, shop.caller, DefineCustomField("1", field))
    assert [(error.path, error.rule) for error in raised.value.errors] == [(path, rule)]
    assert await snapshot(shop.database) == before


async def test_organization_has_a_bounded_number_of_fields(shop: Shop) -> None:
    for number in range(FIELDS_PER_ORGANIZATION_MAX):
        await declare_field(shop, f"field-{number}")
    with pytest.raises(InvalidInput, match="at most 100"):
        await declare_field(shop, "one-more")
    await declare_field(shop, "field-0", is_required=True)


async def test_malformed_values_are_named_by_path(shop: Shop) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    path = ("input", "rewards", "0", "customFields")
    cases: list[tuple[list[GivenField], tuple[str, ...]]] = [
        ([GivenField(NUL, STRING, "x")], (*path, "0", "name")),
        ([GivenField("note", STRING, SURROGATE)], (*path, "0", "value")),
        ([GivenField("note", STRING, "x" * 2_001)], (*path, "0", "value")),
        ([GivenField("a", STRING, "x"), GivenField("a", STRING, "y")], (*path, "1", "name")),
        ([GivenField(str(n), STRING, "") for n in range(FIELDS_PER_ITEM_MAX + 1)], path),
    ]
    before = await snapshot(shop.database)
    for given, expected in cases:
        with pytest.raises(InvalidInput) as raised:
            await issue(shop, "1", member_id, item(reward, custom_fields=given))
        assert raised.value.path == expected
    assert await snapshot(shop.database) == before


async def test_without_the_catalog_scope_nothing_is_declared(shop: Shop) -> None:
    command = DefineCustomField("1", CustomField("size", STRING, is_required=False))
    with pytest.raises(Forbidden):
        await define_custom_field(shop.database, without(shop.caller, Scope.CATALOG), command)
    assert await count(shop, "custom_fields") == 0
