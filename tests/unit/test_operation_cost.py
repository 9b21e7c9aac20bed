"""What operations cost, before they run."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_list_type

from gateway.http.admission.weighing import INTROSPECTION_COST, ITEM_COST, MUTATION_COST, Weights
from gateway.http.graphql_schema import GatewaySchema
from resolvers.schema import build_schema
from resolvers.weights import FIELD_COSTS, LIST_SIZES

SCHEMA = build_schema(GatewaySchema, weights=Weights(FIELD_COSTS, LIST_SIZES))
TOTAL = FIELD_COSTS["Query.grantTotals"]
GRANT = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) {
  ... on GrantRewardPayload { grant { id } } ... on Error { code } } }"""
DISTRIBUTE = """mutation ($input: DistributeRewardsInput!) { distributeRewards(input: $input) {
  ... on DistributeRewardsPayload { results { grant { id } } failures { identifierValue } } } }"""


def cost(query: str, **variables: Any) -> int:
    return SCHEMA.weigh(query, None, variables).cost


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ __typename }", 0),
        ("{ me { id displayName } }", 1),
        ("{ me { id group: groups { name } } }", 1 + 10),
        # The page, its edges and their nodes.
        ("{ members { edges { node { id } } } }", 1 + 20 * 2),
        ("{ members(first: 5) { edges { node { id } } pageInfo { hasNextPage } } }", 1 + 5 * 2 + 1),
        ("{ members(last: 7) { edges { cursor } } }", 1 + 7),
        ("{ members(first: 0) { edges { node { id } } } }", 1),
        # Refused later; nobody gets more than a hundred.
        ("{ members(first: 2000000000) { edges { cursor } } }", 1 + 100),
        ("{ members(first: -5) { edges { cursor } } }", 1),
        (
            "{ members(first: 3) { edges { node { grants(first: 4) { edges { node { id } } } } } } }",
            1 + 3 * (2 + 1 + 4 * 2),
        ),
        ("{ members { totalCount } }", 1 + FIELD_COSTS["MemberConnection.totalCount"]),
        ("{ assets { totalCount } }", 1 + FIELD_COSTS["AssetConnection.totalCount"]),
        ("{ grantTotals(groupBy: DAY) { key } }", TOTAL + 100),
        (
            "{ a: grantTotals(groupBy: DAY) { key } b: grantTotals(groupBy: DAY) { key } }",
            2 * (TOTAL + 100),
        ),
        ("{ ...F ...F } fragment F on Query { me { id } }", 2),
        ("{ ... { me { id } } ... on Query { me { id } } }", 2),
        ("{ __schema { types { name } } }", INTROSPECTION_COST),
    ],
)
def test_cost_is_the_sum_of_what_is_asked_for(query: str, expected: int) -> None:
    assert cost(query) == expected


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"n": 50}, 50),
        ({"n": 0}, 0),
        ({"n": 10**9}, 100),
        ({}, 20),
        ({"n": None}, 20),
        ({"n": "x"}, 20),
    ],
)
def test_size_of_a_page_may_be_a_variable(given: dict[str, Any], size: int) -> None:
    query = "query ($n: Int) { members(first: $n) { edges { node { balances { available } } } } }"
    assert cost(query, **given) == 1 + size * (1 + 1 + 10)


@pytest.mark.parametrize(
    ("given", "size"), [({}, 90), ({"n": 3}, 3), ({"n": None}, 20), ({"n": 1e2}, 100)]
)
def test_a_variable_that_is_left_out_is_what_the_document_says(
    given: dict[str, Any], size: int
) -> None:
    query = "query ($n: Int = 90) { members(first: $n) { edges { cursor } } }"
    assert cost(query, **given) == 1 + size


def test_a_list_of_ids_is_as_long_as_they_are() -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Member { groups { name } } } }"
    assert cost(query, ids=["a"] * 70) == 70 * (1 + 10)
    assert cost('{ nodes(ids: ["a", "b"]) { id } }') == 2
    query = query.replace("[ID!]!", '[ID!]! = ["a", "b", "c"]')
    assert cost(query) == 3 * (1 + 10)


def test_pages_within_pages_multiply_by_variables() -> None:
    query = """query ($n: Int, $m: Int) { members(first: $n) { edges { node {
      grants(first: $m) { edges { cursor } } } } } }"""
    assert cost(query, n=30, m=40) == 1 + 30 * (2 + 1 + 40)


def test_a_grant_costs_little_and_a_batch_by_its_lines() -> None:
    assert cost(GRANT, input={"clientReference": "a"}) == MUTATION_COST + 1 + 1
    lines = [{"xpReward": 1}] * 1_000
    assert cost(DISTRIBUTE, input={"rewards": lines}) == MUTATION_COST + 1 + 1_000 * (
        ITEM_COST + 2 + 1
    )


def test_lines_of_a_literal_count_too() -> None:
    query = """mutation ($list: [DistributionLine!]!) {
      a: distributeRewards(input: {requestId: "1", rewards: [{recipient: {identifierType: EMAIL, identifierValue: "a"}}]}) { __typename }
      b: distributeRewards(input: {requestId: "1", rewards: $list}) { __typename } }"""
    assert cost(query, list=[{}] * 5) == 2 * (MUTATION_COST + 1) + 6 * ITEM_COST


def test_a_new_document_costs_by_its_length_once() -> None:
    query = "{ me { id } } # new"
    assert [SCHEMA.weigh(query, None, {}).document_cost for _ in range(2)] == [2 * len(query), 0]


@pytest.mark.parametrize(
    "query", ["{ nothing }", "{ me { ", "query A { me { id } } query B { me { id } }"]
)
def test_what_cannot_run_costs_its_document_each_time(query: str) -> None:
    assert [SCHEMA.weigh(query, None, {}) for _ in range(2)] == [(0, 2 * len(query))] * 2


def test_each_weight_is_of_a_field_that_is_there() -> None:
    types = SCHEMA._schema.type_map
    for place in (*FIELD_COSTS, *LIST_SIZES):
        type_name, _, field_name = place.partition(".")
        kind = types[type_name]
        # By an interface the field could be asked for without its weight.
        assert isinstance(kind, GraphQLObjectType)
        assert field_name in kind.fields
        for interface in kind.interfaces:
            assert field_name not in interface.fields


def test_every_count_has_a_weight() -> None:
    counts = {
        f"{kind.name}.totalCount"
        for kind in SCHEMA._schema.type_map.values()
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
        and "totalCount" in kind.fields
    }
    assert counts
    assert counts <= FIELD_COSTS.keys()


def test_every_list_below_a_page_is_its_edges() -> None:
    """Else a page's size would multiply nothing."""
    for kind in SCHEMA._schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            lists = [
                name
                for name, field in kind.fields.items()
                if is_list_type(getattr(field.type, "of_type", field.type))
                and get_named_type(field.type).name.endswith("Edge")
            ]
            assert lists == ["edges"]
