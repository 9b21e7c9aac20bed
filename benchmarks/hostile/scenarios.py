"""The floods: what the crowd sends, and what the quiet tenant asks for meanwhile. A new one is a line in `scenarios`."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.hostile.arena import BUYER, Arena
from benchmarks.hostile.crowd import Crowd
from benchmarks.hostile.wire import REFERENCE, Question, to_request

TOTALS = 28
# As many as one operation may ask for.
TOTALS_ALLOWED = 9
CONNECTIONS = 12
FLOOD_CONNECTIONS = 32
UNFINISHED = 60
ORDERS = 150
BODY_BYTES = 8_000_000

GRANT = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) {
  ... on GrantRewardPayload { grant { id } } ... on Error { code } } }"""
GRANT_INPUT = {
    "clientReference": REFERENCE.decode(),
    "member": {"externalId": "member-1"},
    "reward": {"custom": {"amount": "25.00"}},
    "actionCode": "device.purchase",
}
QUIET_QUERY = "{ assets { totalCount } }"
GRANTS = "query ($first: Int) { grants(first: $first) { edges { node { id status benefits { __typename } } } } }"
ISSUE = """mutation ($input: IssueRewardsInput!) { issueRewards(input: $input) {
  ... on IssueRewardsPayload { results { status { code } } } ... on Error { code } } }"""


def ask_for_assets(arena: Arena) -> Question:
    """Return the quiet tenant's usual question."""
    return Question(to_request(QUIET_QUERY, arena.quiet_token), b'"totalCount":')


def _buy(reward_id: str, token: str) -> bytes:
    given = {
        "requestId": REFERENCE.decode(),
        "member": {"externalId": BUYER},
        "rewards": [{"rewardId": reward_id}],
    }
    return to_request(ISSUE, token, {"input": given})


def ask_for_voucher(arena: Arena) -> Question:
    """Return the quiet tenant's purchase of a voucher, which is issued before it is answered."""
    return Question(_buy(arena.quiet_voucher, arena.quiet_token), b'"code":"GRANTED"')


@dataclass(frozen=True, slots=True)
class Scenario:
    """A flood by one crowd or more, and the question that is asked beside it."""

    name: str
    what: str
    crowd: Callable[[Arena], Crowd]
    # What stands in the crowd's answers if the flood was one: else the scenario measures nothing.
    expected_statuses: frozenset[int]
    question: Callable[[Arena], Question] = ask_for_assets


def totals(count: int) -> str:
    """Return an operation with so many sums over the whole history."""
    fields = " ".join(
        f"t{number}: grantTotals(groupBy: DAY) {{ key grantCount amounts {{ amount }} }}"
        for number in range(count)
    )
    return f"{{ {fields} }}"


def _by_partner(query: str, connections: int, **variables: object) -> Callable[[Arena], Crowd]:
    return lambda arena: Crowd(connections, [to_request(query, arena.loud_token, variables)])


def _without_credential(arena: Arena) -> Crowd:
    requests = [to_request(QUIET_QUERY, None), to_request("{ __typename }", None)]
    # Well formed, and nobody's.
    requests += [to_request(QUIET_QUERY, _nobodys(arena)) for _ in range(6)]
    return Crowd(FLOOD_CONNECTIONS, requests)


def _nobodys(arena: Arena) -> str:
    token = arena.loud_token
    return token[:-12] + secrets.token_hex(6)


def _unfinished(token: Callable[[Arena], str | None], size_bytes: int) -> Callable[[Arena], Crowd]:
    def crowd(arena: Arena) -> Crowd:
        query = "# " + "x" * size_bytes
        return Crowd(UNFINISHED, [to_request(query, token(arena))], is_unfinished=True)

    return crowd


SCENARIOS = (
    Scenario(
        "H1",
        f"{CONNECTIONS} connections × {TOTALS} grantTotals",
        _by_partner(totals(TOTALS), CONNECTIONS),
        frozenset({400, 429}),
    ),
    Scenario(
        "H2",
        f"{CONNECTIONS} connections × {TOTALS_ALLOWED} grantTotals",
        _by_partner(totals(TOTALS_ALLOWED), CONNECTIONS),
        frozenset({200, 429}),
    ),
    Scenario(
        "H3",
        f"{CONNECTIONS} connections × 1 grantTotals",
        _by_partner(totals(1), CONNECTIONS),
        frozenset({200, 429}),
    ),
    Scenario(
        "H4",
        f"{FLOOD_CONNECTIONS} connections × pages of 100 grants",
        _by_partner(GRANTS, FLOOD_CONNECTIONS, first=100),
        frozenset({200, 429}),
    ),
    Scenario(
        "H5",
        f"{FLOOD_CONNECTIONS} connections × grantReward",
        _by_partner(GRANT, FLOOD_CONNECTIONS, input=GRANT_INPUT),
        frozenset({200, 429}),
    ),
    Scenario(
        "H6",
        f"{FLOOD_CONNECTIONS} connections without a credential",
        _without_credential,
        frozenset({200, 401, 429}),
    ),
    Scenario(
        "H7",
        f"{UNFINISHED} bodies of 8 MB that do not end",
        _unfinished(lambda arena: arena.loud_token, BODY_BYTES),
        frozenset({0, 408, 413, 429, 503}),
    ),
    Scenario(
        "H8",
        f"{UNFINISHED} bodies without a credential that do not end",
        _unfinished(lambda _: None, 10_000),
        frozenset({0, 408, 413, 429, 503}),
    ),
    Scenario(
        "H9",
        f"{ORDERS} orders at a vendor that takes 29 s",
        lambda arena: Crowd(ORDERS, [_buy(arena.loud_voucher, arena.loud_token)]),
        frozenset({200, 429}),
        ask_for_voucher,
    ),
)
