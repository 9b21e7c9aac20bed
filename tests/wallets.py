"""Members with things in their wallets, made by the posting routine itself, and the reads that a test makes of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from asyncpg.connection import LoggedQuery
from graphql import GraphQLError

from gateway.access import Caller, Scope
from gateway.grants.award import award
from gateway.grants.catalog_line import plan_line
from gateway.grants.line import Line
from gateway.grants.record import GrantKind, GrantRecord, GrantSource, GrantStatus
from gateway.grants.row import GrantRow, ShownGrant
from gateway.ids import new_id
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier, NewMember
from gateway.members.store import insert_members
from gateway.rewards.model import Reward
from gateway.storage.database import Connection, Database
from gateway.storage.lending import ReadLending
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.catalog import Shop, open_shop
from tests.toy_operations import InterpretedSchema

SCHEMA = build_schema(InterpretedSchema)
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class Wallets:
    """A shop, and a clock that moves a second for each grant."""

    shop: Shop
    at: datetime = field(default=START)

    @property
    def database(self) -> Database:
        """Return the shop's database."""
        return self.shop.database

    @property
    def caller(self) -> Caller:
        """Return a partner who may do anything."""
        return self.shop.caller

    def as_member(self, member_id: UUID) -> Caller:
        """Return the caller that a member's own token stands for."""
        return replace(
            self.caller,
            partner_id=member_id,
            scopes=frozenset({Scope.MEMBER}),
            member_id=member_id,
        )

    async def add_members(self, count: int = 1) -> list[UUID]:
        """Make members, each with an external id `customer-<UUID>`."""
        ids = [new_id() for _ in range(count)]
        members = [
            NewMember(id, (Identifier(IdentifierKind.EXTERNAL_ID, f"customer-{id}"),), "Joe")
            for id in ids
        ]
        async with self.database.transaction() as connection:
            await insert_members(
                connection, self.caller.tenant_id, self.caller.organization_id, members, self.at
            )
        return ids

    async def grant(
        self,
        member_id: UUID,
        reward: Reward,
        count: int = 1,
        caller: Caller | None = None,
        **fields: Any,
    ) -> list[GrantRecord]:
        """Grant a reward `count` times, a second apart; newest last."""
        caller = caller or self.caller
        fields = {"source": GrantSource.MANUAL, **fields}
        return [
            await self._award(
                plan_line(
                    caller,
                    reward,
                    grant_id=new_id(),
                    transaction=self._transaction(),
                    member_id=member_id,
                    index=0,
                    **fields,
                )
            )
            for _ in range(count)
        ]

    async def grant_cash(
        self, member_id: UUID, amount_minor: int, action_code: str = "signup", **fields: Any
    ) -> GrantRecord:
        """Grant a custom reward, which waits to be claimed."""
        cash_id = self.caller.standard_assets.cash_id
        owed = Transfer(
            Account(cash_id, OwnerKind.ISSUANCE, self.caller.organization_id),
            Account(cash_id, OwnerKind.CLAIMABLE, member_id),
            amount_minor,
        )
        return await self._award(
            Line(
                grant_id=new_id(),
                transaction=self._transaction(),
                organization_id=self.caller.organization_id,
                member_id=member_id,
                index=0,
                source=GrantSource.PARTNER_ACTION,
                kind=GrantKind.CUSTOM,
                status=GrantStatus.CONFIRMED,
                transfers=(owed,),
                benefits=(
                    {
                        "kind": "ASSET_CREDIT",
                        "asset_id": str(cash_id),
                        "amount_minor": amount_minor,
                    },
                ),
                action_code=action_code,
                **fields,
            )
        )

    async def read(
        self, query: str, variables: dict[str, Any] | None = None, caller: Caller | None = None
    ) -> Any:
        """Run a query as this caller and return its data; it must not fail."""
        data, errors = await self.run(query, variables, caller or self.caller)
        assert errors == [], errors
        return data

    async def run(
        self, query: str, variables: dict[str, Any] | None, caller: Caller | None
    ) -> tuple[Any, list[GraphQLError]]:
        """Run a query and return its data and errors."""
        context = Context(self.database, caller, "test")
        result = await SCHEMA.execute(query, variables, context_value=context)
        return result.data, list(result.errors or ())

    def _transaction(self) -> Transaction:
        self.at += timedelta(seconds=1)
        return Transaction(new_id(), TransactionKind.GRANT, new_id(), self.at, {})

    async def _award(self, line: Line) -> GrantRecord:
        async with self.database.transaction() as connection:
            (result,) = await award(connection, self.caller.tenant_id, [line], self.at)
        assert isinstance(result, GrantRecord), result
        return result


async def open_wallets(database: Database) -> Wallets:
    """Open a shop to grant from."""
    return Wallets(await open_shop(database))


def facts_of(grant: ShownGrant) -> dict[str, Any]:
    """Return all that a grant shows, however it was read."""
    # The time as text is another form of a fact that both have.
    names = vars(GrantRow).keys() - {"rewarded_at_text"}
    return {name: getattr(grant, name) for name in names if not name.startswith("_")}


@contextmanager
def logged_statements(database: Database) -> Iterator[list[str]]:
    """Collect the statements that go to the database from now on, whichever connection they use."""
    statements: list[str] = []

    def log(query: LoggedQuery) -> None:
        # asyncpg asks about a type that is new to a connection; that is once a connection, not once a request.
        if "typeinfo_tree" not in query.query and "set_config('jit'" not in query.query:
            statements.append(query.query)

    def logging_to(lend: Callable[[], ReadLending]) -> Any:
        @asynccontextmanager
        async def lend_with_log() -> AsyncIterator[Connection]:
            async with lend() as connection:
                connection.add_query_logger(log)
                try:
                    yield connection
                finally:
                    connection.remove_query_logger(log)
            # asyncpg calls loggers one turn of the loop later.
            await asyncio.sleep(0)

        return lend_with_log

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connection", "long_reading"):
            patch.setattr(database, name, logging_to(getattr(database, name)))
        yield statements


async def explain(database: Database, statement: str) -> str:
    """Return the plan that PostgreSQL keeps for a statement it sees often, which holds for any parameters."""
    count = max(map(int, re.findall(r"\$(\d+)", statement)))
    arguments = ", ".join(["NULL"] * count)
    async with database.connection() as connection, connection.transaction():
        await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        # Tests have few rows, for which a scan of the whole table would be the right plan.
        await connection.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
        )
        await connection.execute(f"PREPARE explained AS {statement}")
        rows = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE explained ({arguments})")
        await connection.execute("DEALLOCATE explained")
    return "\n".join(row[0] for row in rows)
