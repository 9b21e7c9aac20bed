"""Calls of the five use cases in as few words as a test needs, and what to hold the database to afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import pytest

from gateway.access import Caller, Scope
from gateway.claiming.claim_rewards import claim_rewards
from gateway.claiming.model import ClaimCommand, ClaimOutcome
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.distributing.outcome import DistributionOutcome
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, CustomReward, GrantCommand, GrantOutcome
from gateway.grants.status import StatusCode
from gateway.ids import IdKind, encode_id, new_id, new_ids
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssuanceOutcome, IssueCommand, IssueItem, PaymentChoice
from gateway.ledger.model import Account, OwnerKind
from gateway.members.creating import create_members
from gateway.members.model import Identifier, MemberReference, NewMember
from gateway.operations import once
from gateway.reversing.model import (
    KeyTarget,
    ReversalPolicy,
    ReverseCommand,
    ReverseOperationCommand,
    ReverseOperationOutcome,
    ReverseOutcome,
    TransactionTarget,
)
from gateway.reversing.reverse_grant import reverse_grant
from gateway.reversing.reverse_operation import reverse_operation
from gateway.rewards.codes import open_code
from gateway.rewards.model import PaymentMode, Reward
from gateway.rewards.payments import PaymentConfigDraft
from gateway.storage import database as pools
from gateway.storage.connection import PipeliningConnection
from gateway.storage.database import Connection, Database
from tests.catalog import Shop
from tests.sealing import KEYS

NUL = "a\x00b"
SURROGATE = "a\ud800b"

# Every entry stands against another, every balance is the sum of its entries, and nothing is below zero or half done.
BROKEN = {
    "transactions that do not sum to zero": """
        SELECT transaction_id FROM ledger_entries GROUP BY tenant_id, transaction_id, asset_id HAVING sum(amount_minor) <> 0
    """,
    "balances that are not the sum of their entries": """
        SELECT id FROM accounts LEFT JOIN (
            SELECT tenant_id, account_id, sum(amount_minor) AS total, count(*) AS entries, max(sequence) AS last
            FROM ledger_entries GROUP BY tenant_id, account_id
        ) AS posted ON posted.tenant_id = accounts.tenant_id AND account_id = id
        WHERE (posted_minor, entry_count, entry_count)
            <> (coalesce(total, 0), coalesce(entries, 0), coalesce(last, 0)) OR posted_minor < 0 OR held_minor <> 0
    """,
    "transactions without an event": """
        SELECT id FROM ledger_transactions FULL JOIN outbox_events
            ON outbox_events.tenant_id = ledger_transactions.tenant_id AND transaction_id = id
        WHERE id IS NULL OR transaction_id IS NULL
    """,
    "transactions of another credential than their operation's": """
        SELECT ledger_transactions.id FROM ledger_transactions LEFT JOIN operations
            ON operations.tenant_id = ledger_transactions.tenant_id AND operations.id = operation_id
        WHERE ledger_transactions.credential_id IS DISTINCT FROM operations.credential_id
    """,
    "operations without an answer": "SELECT id FROM operations WHERE answer IS NULL",
    "grants whose code is not theirs": """
        SELECT grants.id FROM grants LEFT JOIN codes ON codes.tenant_id = grants.tenant_id AND grant_id = grants.id
        WHERE kind = 'UNIQUE_COUPON' AND (codes.id::text IS DISTINCT FROM benefits[0]->>'code_id'
            OR codes.status <> CASE grants.status WHEN 'REVERSED' THEN 'VOIDED' ELSE 'GRANTED' END)
    """,
    "codes of nobody": """
        SELECT grant_id FROM codes WHERE grant_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM grants WHERE grants.tenant_id = codes.tenant_id AND grants.id = grant_id)
    """,
    "coupon holders without a grant": """
        SELECT grant_id FROM coupon_assignments AS held WHERE NOT EXISTS (
            SELECT FROM grants WHERE grants.tenant_id = held.tenant_id AND grants.id = grant_id AND status <> 'REVERSED')
    """,
}


async def find_broken(database: Database) -> dict[str, list[Any]]:
    """Return what does not hold in the database, by name; empty if all does."""
    found = {name: await database.fetch(statement) for name, statement in BROKEN.items()}
    return {name: rows for name, rows in found.items() if rows}


async def snapshot(database: Database) -> dict[str, tuple[int, str]]:
    """Return the number of rows and a hash of the content of every table."""
    tables = await database.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
    )
    # The names are ours.
    parts = [
        f"SELECT '{name}', count(*), md5(string_agg(r::text, '' ORDER BY r::text)) FROM {name} AS r"  # noqa: S608
        for (name,) in tables
    ]
    rows = await database.fetch(" UNION ALL ".join(parts))
    return {name: (count, digest) for name, count, digest in rows}


@contextmanager
def nobody_waiting() -> Iterator[None]:
    """Let no claim look as if it had waited for a key, however slow the machine is: statements are then always the same ones."""
    with patch.object(once, "READING_AGE_MAX", timedelta.max):
        yield


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[tuple[Database, list[str]]]:
    """Open a pool of one connection and list every statement that is sent on it, one round trip each."""
    statements: list[str] = []

    class CountingConnection(PipeliningConnection):
        """Lists copies too, of which query loggers are not told."""

        async def copy_records_to_table(self, table_name: str, **options: Any) -> str:
            statements.append(f"COPY {table_name}")
            status: str = await super().copy_records_to_table(table_name, **options)
            return status

    with patch.object(pools, "PipeliningConnection", CountingConnection):
        database = await Database.open(url, pool_size_max=1, keys=KEYS)
    try:
        async with database.connection() as connection:
            connection.add_query_logger(lambda logged: statements.append(logged.query.strip()))
        with nobody_waiting():
            yield database, statements
    finally:
        await database.close()


async def add_members(shop: Shop, count: int, *identifiers: Identifier) -> list[UUID]:
    """Create members in the shop's tenant; the identifiers go to the first."""
    members = [NewMember(member_id, ()) for member_id in new_ids(count)]
    members[0] = NewMember(members[0].id, identifiers)
    async with shop.database.transaction() as connection:
        await create_members(
            connection,
            shop.caller.tenant_id,
            shop.caller.organization_id,
            members,
            datetime.now(UTC),
        )
    return [member.id for member in members]


async def add_member(shop: Shop, *identifiers: Identifier) -> UUID:
    """Create a member in the shop's tenant."""
    (member_id,) = await add_members(shop, 1, *identifiers)
    return member_id


def named(member_id: UUID) -> MemberReference:
    """Return the reference that names a member by id."""
    return MemberReference(None, str(member_id))


def points_of(shop: Shop) -> UUID:
    """Return the id of the tenant's points."""
    return shop.caller.standard_assets.points_id


def cash_of(shop: Shop) -> UUID:
    """Return the id of the tenant's cash."""
    return shop.caller.standard_assets.cash_id


async def balance(
    shop: Shop, owner_id: UUID, asset_id: UUID | None = None, kind: OwnerKind = OwnerKind.MEMBER
) -> int:
    """Return a posted balance in minor units; of a member's points, if nothing else is said."""
    account = Account(asset_id or points_of(shop), kind, owner_id)
    rows = await shop.database.fetch(
        "SELECT posted_minor FROM accounts WHERE tenant_id = $1 AND id = $2",
        shop.caller.tenant_id,
        account.id,
    )
    return rows[0]["posted_minor"] if rows else 0


async def count(shop: Shop, table: str) -> int:
    """Return how many rows a table has."""
    (row,) = await shop.database.fetch(f"SELECT count(*) FROM {table}")  # noqa: S608 - the names are ours
    number: int = row["count"]
    return number


async def count_commits(shop: Shop, table: str) -> int:
    """Return how many database transactions wrote the rows of a table that are there."""
    rows = await shop.database.fetch(
        f"SELECT count(DISTINCT xmin::text) FROM {table}"  # noqa: S608 - a table of ours
    )
    return int(rows[0]["count"])


def without(caller: Caller, *scopes: Scope) -> Caller:
    """Return the caller without these scopes."""
    return replace(caller, scopes=caller.scopes - set(scopes))


def as_member(shop: Shop, member_id: UUID) -> Caller:
    """Return the caller behind a member's own token."""
    return replace(
        shop.caller, partner_id=member_id, member_id=member_id, scopes=frozenset({Scope.MEMBER})
    )


def custom(key: str, member_id: UUID, amount: str = "25.00", **fields: Any) -> GrantCommand:
    """Return a grant of cash for an action."""
    defaults: dict[str, Any] = {"action_code": "signup", "metadata": {}}
    return GrantCommand(key, named(member_id), CustomReward(Decimal(amount)), **defaults | fields)


def manual(key: str, member_id: UUID, reward_id: UUID | None, **fields: Any) -> GrantCommand:
    """Return a grant of a reward of the catalog."""
    defaults: dict[str, Any] = {"action_code": None, "metadata": {}}
    return GrantCommand(key, named(member_id), CatalogReward(reward_id), **defaults | fields)


async def grant(shop: Shop, command: GrantCommand, caller: Caller | None = None) -> GrantOutcome:
    """Grant as the shop's caller, or as another."""
    return await grant_reward(shop.database, caller or shop.caller, command)


def item(reward: Reward, **fields: Any) -> IssueItem:
    """Return one reward to issue."""
    return IssueItem(reward.id, encode_id(IdKind.REWARD, reward.id), **fields)


def paying(reward: Reward, index: int, value: int = 1) -> PaymentChoice:
    """Return the choice of one of the reward's payment configurations."""
    config_id = reward.payment_configs[index].id
    return PaymentChoice(config_id, encode_id(IdKind.PAYMENT_CONFIG, config_id), Decimal(value))


async def issue(
    shop: Shop,
    key: str,
    member_id: UUID,
    *items: IssueItem,
    caller: Caller | None = None,
    **fields: Any,
) -> IssuanceOutcome:
    """Issue as the shop's caller, or as another."""
    command = IssueCommand(key, named(member_id), items, **fields)
    return await issue_rewards(shop.database, caller or shop.caller, command)


def codes_of(outcome: IssuanceOutcome) -> list[StatusCode]:
    """Return the items' status codes."""
    return [result.status.code for result in outcome.items]


def costing(shop: Shop, amount: int) -> tuple[PaymentConfigDraft, ...]:
    """Return the one payment configuration of a reward that costs points."""
    draft = PaymentConfigDraft(PaymentMode.POINTS, asset_id=points_of(shop), amount=Decimal(amount))
    return (draft,)


def line(
    shop: Shop,
    recipient: UUID | Recipient,
    amount: int | str | None = None,
    experience_points: int | None = None,
    currency_id: UUID | str | None = None,
) -> DistributionLine:
    """Return a distribution's line; of the tenant's points, if no currency is named."""
    if isinstance(recipient, UUID):
        recipient = Recipient(None, encode_id(IdKind.MEMBER, recipient))
    currency = None if amount is None else str(currency_id or points_of(shop))
    return DistributionLine(
        recipient, currency, None if amount is None else Decimal(amount), experience_points
    )


async def distribute(
    shop: Shop, key: str, *lines: DistributionLine, caller: Caller | None = None, **fields: Any
) -> DistributionOutcome:
    """Distribute as the shop's caller, or as another."""
    command = DistributeCommand(key, lines, **fields)
    return await distribute_rewards(shop.database, caller or shop.caller, command)


async def give_points(shop: Shop, member_id: UUID, amount: int) -> None:
    """Let a member have points."""
    await distribute(shop, str(new_id()), line(shop, member_id, amount))


async def claim(
    shop: Shop,
    key: str,
    member_id: UUID | None,
    *grant_ids: UUID | None,
    caller: Caller | None = None,
) -> ClaimOutcome:
    """Claim as the shop's caller, or as another."""
    command = ClaimCommand(key, named(member_id) if member_id else None, grant_ids)
    return await claim_rewards(shop.database, caller or shop.caller, command)


async def reverse(
    shop: Shop,
    key: str,
    grant_id: UUID | None,
    reason: str | None = None,
    caller: Caller | None = None,
    policy: ReversalPolicy = ReversalPolicy.REFUSE,
) -> ReverseOutcome:
    """Reverse as the shop's caller, or as another."""
    command = ReverseCommand(key, grant_id, reason, policy)
    return await reverse_grant(shop.database, caller or shop.caller, command)


async def reverse_all(
    shop: Shop,
    key: str,
    target: KeyTarget | TransactionTarget,
    policy: ReversalPolicy = ReversalPolicy.REFUSE,
    caller: Caller | None = None,
    reason: str | None = None,
) -> ReverseOperationOutcome:
    """Reverse an operation as the shop's caller, or as another."""
    command = ReverseOperationCommand(key, target, reason, policy)
    return await reverse_operation(shop.database, caller or shop.caller, command)


async def void_code(shop: Shop, code: str) -> None:
    """Void a code of a pool behind the application's back."""
    async with shop.database.connection() as connection:
        rows = await connection.fetch("SELECT id, code_sealed FROM codes")
        (code_id,) = [
            row["id"]
            for row in rows
            if open_code(KEYS, shop.caller.tenant_id, row["id"], row["code_sealed"]) == code
        ]
        await connection.execute("UPDATE codes SET status = 'VOIDED' WHERE id = $1", code_id)


def fail_first_attempt(
    monkeypatch: pytest.MonkeyPatch, between: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Undo the first attempt's work just before it is committed; let something happen before the second begins."""
    transaction = Database.transaction
    calls: Counter[str] = Counter()

    @asynccontextmanager
    async def fail_once(*arguments: Any) -> AsyncIterator[Any]:
        if between is not None and calls["commit"] == 1 and not calls["between"]:
            calls["between"] += 1
            await between()
        async with transaction(*arguments) as connection:
            yield connection
            calls["commit"] += 1
            if calls["commit"] == 1:
                message = "made up for a test"
                raise asyncpg.SerializationError(message)

    monkeypatch.setattr(Database, "transaction", fail_once)


def lose_first_commit_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the connection right after the first commit, so that nobody hears of it."""
    transaction = Database.transaction
    calls: Counter[str] = Counter()

    @asynccontextmanager
    async def committed(
        database: Database, lock_timeout_seconds: float | None = None
    ) -> AsyncIterator[Connection]:
        async with transaction(database, lock_timeout_seconds) as connection:
            yield connection
        calls["commit"] += 1
        if calls["commit"] == 1:
            raise ConnectionResetError

    monkeypatch.setattr(Database, "transaction", committed)
