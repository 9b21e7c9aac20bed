"""What a member has of one asset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ledger import assets as ledger
from gateway.ledger.assets import from_minor
from gateway.ledger.balance_store import ask_balances
from gateway.ledger.model import OwnerKind
from gateway.ledger.statement import AssetBalance
from gateway.promises import Promise
from gateway.storage.union_store import Question
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.types.asset import Asset, to_asset


@strawberry.type(
    description="What a member, or a group, has of one asset. `posted` less `held` is `available`, which is below zero by what is `owed`."
)
class Balance:
    """One account of a member."""

    balance: strawberry.Private[AssetBalance]
    counted: strawberry.Private[ledger.Asset]

    def __init__(self, balance: AssetBalance, counted: ledger.Asset) -> None:
        """Keep both; by position, as `Grant` does."""
        self.balance = balance
        self.counted = counted

    @resolved("What is counted.")
    def asset(self) -> Asset:
        """Return the asset."""
        return to_asset(self.counted)

    @resolved("What can be spent now; below zero after a reversal of what had been spent.")
    def available(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.available_minor, self.counted.scale)

    @resolved("What is reserved for rewards that are being issued.")
    def held(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.held_minor, self.counted.scale)

    @resolved("The sum of all entries.")
    def posted(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.posted_minor, self.counted.scale)

    @resolved("What the member owes after a reversal with debt; later credits repay it first.")
    def owed(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(max(0, -self.balance.available_minor), self.counted.scale)

    @resolved("When it last changed.")
    def updated_at(self) -> datetime:
        """Return when."""
        assert self.balance.updated_at is not None  # noqa: S101 - it was selected, so it was read
        return self.balance.updated_at


def load_balances(
    loaders: Loaders, owner_id: UUID, owner_kind: OwnerKind, as_of: datetime | None = None
) -> Promise[list[Balance]]:
    """Return what becomes an owner's balances, now or at a past time; owners of one list are read together."""
    promise = loaders.asking(_ask_balances, owner_kind, as_of).load(owner_id)
    return promise.then(lambda balances: present_balances(loaders, balances or ()))


def present_balances(
    loaders: Loaders, balances: Sequence[AssetBalance]
) -> list[Balance] | Promise[list[Balance]]:
    """Return balances as their GraphQL type: at once if the process has met their assets before."""
    assets = loaders.assets

    def present() -> list[Balance]:
        return [Balance(balance, assets[balance.asset_id]) for balance in balances]

    return loaders.with_assets([balance.asset_id for balance in balances], present)


def _ask_balances(
    loaders: Loaders, owner_ids: Sequence[UUID], owner_kind: OwnerKind, as_of: datetime | None
) -> Question[dict[UUID, list[AssetBalance]]]:
    return ask_balances(loaders.caller.tenant_id, owner_ids, owner_kind, as_of, loaders.asset_scope)
