"""The catalog's mutations through GraphQL: payloads, every broken rule by path, conflicts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.access import Caller, Scope
from gateway.errors import Forbidden, Unauthenticated
from gateway.ids import IdKind, encode_id, new_id
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.catalog import Shop
from tests.toy_operations import InterpretedSchema

SCHEMA = build_schema(InterpretedSchema)

ERRORS = """
    ... on Error { code httpStatus path message }
    ... on InvalidInput { fieldErrors { path rule } }
    ... on IdempotencyConflict { differingFields }
"""
REWARD = """reward {
    __typename
    ... on RewardDefinition {
        id orgId name description status metadata createdAt updatedAt
        paymentConfigs { mode asset { code } amount cashAsset { code } cashAmount conversionRatio }
    }
    ... on PointsReward { amount asset { code } }
    ... on ProductReward { quantity product { id name stock } }
    ... on CompetitionEntryReward { entries competition { id name } }
    ... on UniqueCouponReward { codePool { id name codes { free granted voided loaded } } }
    ... on NonUniqueCouponReward { code discountType discountValue }
}"""


def mutation(name: str, payload: str) -> str:
    """Return a document that calls one mutation, with its answer under `result`."""
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{ result: {name}(input: $input) {{
        __typename ... on {kind}Payload {{ idempotentReplay {payload} }} {ERRORS} }} }}"""


CREATE = mutation("createReward", REWARD)
UPDATE = mutation("updateReward", REWARD)
DELETE = mutation("deleteReward", "deletedRewardId")
CREATE_PRODUCT = mutation("createProduct", "product { id name stock assetId }")
RESTOCK = mutation("restockProduct", "stock product { id stock }")
CREATE_COMPETITION = mutation("createCompetition", "competition { id name assetId }")
CREATE_POOL = mutation("createCodePool", "codePool { id name codes { free loaded } }")
IMPORT = mutation(
    "importCodes", "acceptedCount duplicateCount codePool { codes { free granted voided loaded } }"
)


async def run(shop: Shop, document: str, caller: Caller | None = None, **given: Any) -> Any:
    """Run a mutation and return its answer."""
    context = Context(shop.database, caller or shop.caller, "test")
    result = await SCHEMA.execute(document, {"input": given}, context_value=context)
    if result.errors:
        raise result.errors[0].original_error or result.errors[0]
    assert result.data is not None
    return result.data["result"]


def rules_of(answer: Any) -> list[tuple[str, str]]:
    """Return path and rule of every error of an InvalidInput."""
    assert (answer["__typename"], answer["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert answer["httpStatus"] == 400
    return [(".".join(error["path"]), error["rule"]) for error in answer["fieldErrors"]]


@pytest.mark.requirement("MON-1", "MON-2", "MON-3", "MON-4", "MON-7", "CAP-6")
async def test_reward_is_created_replayed_updated_and_deleted(shop: Shop) -> None:
    points, cash = (
        str(shop.caller.standard_assets.points_id),
        str(shop.caller.standard_assets.cash_id),
    )
    given: dict[str, Any] = {
        "requestId": "1",
        "name": "Daily points",
        "config": {"points": {"amount": "10"}},
        "metadata": {"tier": 1},
        "paymentConfigs": [
            {"mode": "FREE"},
            {
                "mode": "POINTS_CASH",
                "assetId": points,
                "amount": 100,
                "cashAssetId": cash,
                "cashAmount": "1.5",
            },
            {"mode": "CONV_RATIO", "assetId": points, "conversionRatio": "0.5"},
        ],
    }
    created = await run(shop, CREATE, **given)
    reward = created["reward"]
    nothing = {"asset": None, "amount": None, "cashAsset": None, "cashAmount": None}
    assert created == {
        "__typename": "CreateRewardPayload",
        "idempotentReplay": False,
        "reward": {
            "__typename": "PointsReward",
            "id": reward["id"],
            "orgId": encode_id(IdKind.ORGANIZATION, shop.caller.organization_id),
            "name": "Daily points",
            "description": None,
            "status": "ACTIVE",
            "metadata": {"tier": 1},
            "createdAt": reward["createdAt"],
            "updatedAt": reward["createdAt"],
            "paymentConfigs": [
                {"mode": "FREE", **nothing, "conversionRatio": None},
                {
                    "mode": "POINTS_CASH",
                    "asset": {"code": "PTS"},
                    "amount": "100",
                    "cashAsset": {"code": "USD"},
                    "cashAmount": "1.50",
                    "conversionRatio": None,
                },
                {
                    "mode": "CONV_RATIO",
                    **nothing,
                    "asset": {"code": "PTS"},
                    "conversionRatio": "0.5",
                },
            ],
            "amount": "10",
            "asset": {"code": "PTS"},
        },
    }
    assert await run(shop, CREATE, **given) == created | {"idempotentReplay": True}
    updated = await run(
        shop,
        UPDATE,
        requestId="2",
        id=reward["id"],
        status="INACTIVE",
        description="Once a day",
        config={"points": {"amount": 25, "assetId": points}},
    )
    assert updated["reward"] == reward | {
        "status": "INACTIVE",
        "description": "Once a day",
        "amount": "25",
        "updatedAt": updated["reward"]["updatedAt"],
    }
    assert updated["reward"]["updatedAt"] > reward["updatedAt"]
    deleted = await run(shop, DELETE, requestId="3", id=reward["id"])
    assert deleted == {
        "__typename": "DeleteRewardPayload",
        "idempotentReplay": False,
        "deletedRewardId": reward["id"],
    }
    assert (await run(shop, DELETE, requestId="3", id=reward["id"]))["idempotentReplay"] is True


@pytest.mark.requirement("MON-2", "MON-10")
async def test_reward_of_each_other_type(shop: Shop) -> None:
    product = await run(shop, CREATE_PRODUCT, requestId="1", name="Mug", initialStock=5)
    competition = await run(shop, CREATE_COMPETITION, requestId="1", name="Grand prize")
    pool = await run(shop, CREATE_POOL, requestId="1", name="Spring")
    ids = [
        product["product"]["id"],
        competition["competition"]["id"],
        pool["codePool"]["id"],
    ]
    assert product["product"] == {
        "id": ids[0],
        "name": "Mug",
        "stock": 5,
        "assetId": ids[0].removeprefix("prod_"),
    }
    assert competition["competition"]["assetId"] == ids[1].removeprefix("comp_")
    assert pool["codePool"]["codes"] == {"free": 0, "loaded": 0}
    await run(shop, IMPORT, requestId="1", codePoolId=ids[2], codes=["A", "B"])
    coupon = {"code": "SAVE20", "discountType": "PERCENTAGE", "discountValue": 20}
    configs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (
            {"product": {"productId": ids[0]}},
            {"quantity": 1, "product": {"id": ids[0], "name": "Mug", "stock": 5}},
        ),
        (
            {"competitionEntry": {"competitionId": ids[1], "entries": 3}},
            {"entries": 3, "competition": {"id": ids[1], "name": "Grand prize"}},
        ),
        (
            {"uniqueCoupon": {"codePoolId": ids[2]}},
            {
                "codePool": {
                    "id": ids[2],
                    "name": "Spring",
                    "codes": {"free": 2, "granted": 0, "voided": 0, "loaded": 2},
                }
            },
        ),
        ({"nonUniqueCoupon": coupon}, coupon | {"discountValue": "20"}),
    ]
    for number, (config, expected) in enumerate(configs):
        answer = await run(shop, CREATE, requestId=str(number), name="Reward", config=config)
        assert answer["__typename"] == "CreateRewardPayload", answer
        assert answer["reward"].items() >= expected.items()
        (kind,) = config
        assert answer["reward"]["__typename"].lower() == f"{kind}reward".lower()


@pytest.mark.requirement("MON-3")
async def test_every_broken_rule_has_its_path(shop: Shop) -> None:
    before = await shop.count_rows()
    answer = await run(
        shop,
        CREATE,
        requestId="",
        id="rew_1",
        name="",
        metadata={"a": "\x00"},
        config={"product": {"productId": "not an id", "quantity": 0}},
        paymentConfigs=[{"mode": "POINTS", "assetId": "x", "conversionRatio": "0"}],
    )
    assert rules_of(answer) == [
        ("input.requestId", "required"),
        ("input.id", "id"),
        ("input.name", "required"),
        ("input.config.product.productId", "exists"),
        ("input.config.product.quantity", "positive"),
        ("input.metadata", "json"),
        ("input.paymentConfigs.0.assetId", "exists"),
        ("input.paymentConfigs.0.amount", "required"),
        ("input.paymentConfigs.0.conversionRatio", "unexpected"),
        ("input.paymentConfigs.0.conversionRatio", "positive"),
    ]
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-4")
async def test_update_tells_null_from_left_out(shop: Shop) -> None:
    reward = await shop.create_reward(description="Old", metadata={"a": 1})
    public_id = encode_id(IdKind.REWARD, reward.id)
    answer = await run(
        shop,
        UPDATE,
        requestId="1",
        id=public_id,
        name=None,
        config=None,
        status=None,
        metadata=None,
        paymentConfigs=None,
    )
    assert rules_of(answer) == [
        ("input.name", "required"),
        ("input.config", "required"),
        ("input.status", "required"),
        ("input.metadata", "object"),
        ("input.paymentConfigs", "required"),
    ]
    cleared = await run(shop, UPDATE, requestId="2", id=public_id, description=None)
    assert cleared["reward"]["description"] is None
    assert cleared["reward"]["metadata"] == {"a": 1}
    other = {"nonUniqueCoupon": {"code": "A", "discountType": "FIXED", "discountValue": 1}}
    refused = await run(shop, UPDATE, requestId="3", id=public_id, config=other)
    assert rules_of(refused) == [("input.config.nonUniqueCoupon", "type")]


@pytest.mark.requirement("MON-6", "ALL-2")
async def test_conflicts_and_unknown_ids_are_typed(shop: Shop) -> None:
    config = {"points": {"amount": 1}}
    public_id = encode_id(IdKind.REWARD, new_id())
    await run(shop, CREATE, requestId="1", id=public_id, name="A", config=config)
    before = await shop.count_rows()
    taken = await run(shop, CREATE, requestId="2", id=public_id, name="A", config=config)
    assert (taken["__typename"], taken["code"], taken["httpStatus"], taken["path"]) == (
        "Conflict",
        "ALREADY_EXISTS",
        409,
        ["input", "id"],
    )
    reused = await run(shop, CREATE, requestId="1", id=public_id, name="B", config=config)
    assert reused["__typename"] == "IdempotencyConflict"
    assert reused["differingFields"] == ["name"]
    for unknown in (encode_id(IdKind.REWARD, new_id()), "rew_1", ""):
        for document in (UPDATE, DELETE):
            answer = await run(shop, document, requestId="2", id=unknown)
            assert (answer["__typename"], answer["httpStatus"]) == ("NotFound", 404)
            assert answer["path"] == ["input", "id"]
    for document, given in (
        (RESTOCK, {"productId": "prod_1", "quantity": 1}),
        (IMPORT, {"codePoolId": "pool_1", "codes": ["A"]}),
    ):
        answer = await run(shop, document, requestId="2", **given)
        assert answer["__typename"] == "NotFound"
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-9", "MON-10")
async def test_stock_and_codes_grow(shop: Shop) -> None:
    product_id = encode_id(IdKind.PRODUCT, await shop.create_product(5))
    restocked = await run(shop, RESTOCK, requestId="1", productId=product_id, quantity=7)
    assert (restocked["stock"], restocked["product"]["stock"]) == (12, 12)
    await run(shop, RESTOCK, requestId="2", productId=product_id, quantity=1)
    replayed = await run(shop, RESTOCK, requestId="1", productId=product_id, quantity=7)
    assert (replayed["idempotentReplay"], replayed["stock"]) == (True, 12)
    assert replayed["product"]["stock"] == 13
    pool_id = encode_id(IdKind.CODE_POOL, await shop.create_pool("A"))
    loaded = await run(
        shop,
        IMPORT,
        requestId="1",
        codePoolId=pool_id,
        codes=["A", "B", "B"],
        expiresAt="2126-11-23T00:00:00Z",
    )
    assert loaded == {
        "__typename": "ImportCodesPayload",
        "idempotentReplay": False,
        "acceptedCount": 1,
        "duplicateCount": 2,
        "codePool": {"codes": {"free": 2, "granted": 0, "voided": 0, "loaded": 2}},
    }
    broken = await run(
        shop,
        IMPORT,
        requestId="2",
        codePoolId=pool_id,
        codes=["C", " D"],
        expiresAt="2025-11-23T00:00:00Z",
    )
    assert rules_of(broken) == [("input.codes.1", "code")]
    late = await run(
        shop,
        IMPORT,
        requestId="2",
        codePoolId=pool_id,
        codes=["C"],
        expiresAt="2025-11-23T00:00:00Z",
    )
    assert rules_of(late) == [("input.expiresAt", "future")]


async def test_scope_and_credential_are_needed(shop: Shop) -> None:
    before = await shop.count_rows()
    grantor = replace(shop.caller, scopes=frozenset({Scope.READ, Scope.GRANT}))
    with pytest.raises(Forbidden):
        await run(shop, CREATE_PRODUCT, grantor, requestId="1", name="Mug")
    context = Context(shop.database, None, "test")
    given = {"input": {"requestId": "1", "name": "Mug"}}
    result = await SCHEMA.execute(CREATE_PRODUCT, given, context_value=context)
    assert result.errors is not None
    assert isinstance(result.errors[0].original_error, Unauthenticated)
    assert await shop.count_rows() == before
