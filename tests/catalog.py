"""A tenant with a catalog to test with: callers of two organizations, and drafts of each type."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import PARTNER_SCOPES, Caller
from gateway.ids import new_id
from gateway.rewards.code_pools import CreateCodePool, ImportCodes, create_code_pool, import_codes
from gateway.rewards.competitions import CreateCompetition, create_competition
from gateway.rewards.creating import CreateReward, create_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import Reward, RewardStatus
from gateway.rewards.products import CreateProduct, create_product
from gateway.rewards.types.base import Draft
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from gateway.tenants.founding import create_organization, create_tenant

CATALOG_TABLES = (
    "operations",
    "assets",
    "rewards",
    "reward_versions",
    "payment_configs",
    "products",
    "competitions",
    "code_pools",
    "code_imports",
    "codes",
    "ledger_transactions",
    "ledger_entries",
    "outbox_events",
    "accounts",
)


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant's caller, and a caller of another organization of the same tenant."""

    database: Database
    caller: Caller
    neighbor: Caller

    async def create_product(self, stock: int = 0) -> UUID:
        """Make a product with this stock."""
        command = CreateProduct(str(new_id()), "Mug", stock)
        return (await create_product(self.database, self.caller, command)).product.id

    async def create_competition(self) -> UUID:
        """Make a competition."""
        command = CreateCompetition(str(new_id()), "Grand prize")
        outcome = await create_competition(self.database, self.caller, command)
        return outcome.competition.id

    async def create_pool(self, *codes: str) -> UUID:
        """Make a pool with these codes."""
        command = CreateCodePool(str(new_id()), "Spring codes")
        pool_id = (await create_code_pool(self.database, self.caller, command)).pool.id
        if codes:
            load = ImportCodes(str(new_id()), pool_id, codes)
            await import_codes(self.database, self.caller, load)
        return pool_id

    async def create_reward(self, draft: Draft | None = None, **fields: Any) -> Reward:
        """Make a reward; of ten points, if nothing else is said."""
        command = CreateReward(str(new_id()), new_fields(config=draft, **fields))
        return (await create_reward(self.database, self.caller, command)).reward

    async def count_rows(self) -> dict[str, int]:
        """Return how many rows each table of the catalog and the ledger has."""
        # The names are ours.
        counts = [f"(SELECT count(*) FROM {name}) AS {name}" for name in CATALOG_TABLES]  # noqa: S608
        (row,) = await self.database.fetch(f"SELECT {', '.join(counts)}")
        return dict(row)


async def open_shop(database: Database) -> Shop:
    """Found a tenant with two organizations and a caller for each."""
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    bergen = await create_organization(database, founded.tenant.id, "Acme Bergen")
    tenant = founded.tenant
    caller = Caller(
        tenant.id,
        founded.organization.id,
        new_id(),
        PARTNER_SCOPES,
        tenant.standard_assets,
        credential_id=new_id(),
    )
    neighbor = replace(
        caller, organization_id=bergen.id, partner_id=new_id(), credential_id=new_id()
    )
    return Shop(database, caller, neighbor)


def new_fields(config: Draft | None = None, **fields: Any) -> RewardFields:
    """Return the fields of a new reward, every one named: ten points, if nothing else is said."""
    defaults: dict[str, Any] = {
        "name": "Daily points",
        "description": None,
        "config": config or PointsDraft(Decimal(10)),
        "metadata": {},
        "status": RewardStatus.ACTIVE,
        "payment_configs": (),
    }
    return RewardFields(**defaults | fields)
