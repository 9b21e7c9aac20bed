"""Grants: one reward in one member's hands."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from gateway.grants.benefits import assets_of
from gateway.grants.record import GrantRecord, GrantSource, GrantStatus
from gateway.ids import IdKind, encode_id
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.scalars import JSON
from resolvers.types.benefit import Benefit, to_benefit
from resolvers.types.custom_field import CustomFieldValue, to_custom_field_value
from resolvers.types.fulfillment import Fulfillment, load_fulfillments
from resolvers.types.reward import Reward, find_granted_reward, load_granted_reward

if TYPE_CHECKING:
    from resolvers.types.member import Member

expose_enum(
    GrantStatus,
    "Where a grant stands.",
    {
        "PENDING": "Being bought from a vendor that has not answered yet. What it costs is held.",
        "CONFIRMED": "Granted and waiting to be claimed.",
        "CLAIMED": "Its benefit is in the member's hands.",
        "DECLINED": "Refused by its vendor after it had been pending. Nothing was taken.",
        "EXPIRED": "Not claimed in time, or a coupon whose time is over.",
        "REVERSED": "Taken back by a balancing transaction.",
    },
)

expose_enum(
    GrantSource,
    "Which operation made a grant.",
    {
        "MANUAL": "`grantReward` with a reward of the catalogue.",
        "PARTNER_ACTION": "`grantReward` with a custom reward for an action.",
        "ISSUANCE": "`issueRewards`.",
        "DISTRIBUTION": "`distributeRewards`.",
        "CAMPAIGN": "A campaign's rule.",
    },
)


@strawberry.type(description="One reward in one member's hands.")
class Grant(Node):
    """A grant as it stands now; what was granted never changes."""

    record: strawberry.Private[GrantRecord]

    status: GrantStatus = strawberry.field(description="Where it stands.")
    source: GrantSource = strawberry.field(description="Which operation made it.")
    action_code: str | None = strawberry.field(
        description="What the member did for it, as the partner names it."
    )
    client_reference: str | None = strawberry.field(
        description="The partner's own reference for it."
    )
    campaign_id: strawberry.ID | None = strawberry.field(
        description="The campaign that gave it; null if none did."
    )
    metadata: JSON = strawberry.field(description="What the partner kept with it.")
    date_rewarded: datetime = strawberry.field(description="When it was granted.")
    claimed_at: datetime | None = strawberry.field(
        description="When its benefit came into the member's hands; null if it has not."
    )
    expires_at: datetime | None = strawberry.field(
        description="When its code expires, or when it has to be claimed by; null if there is no such time."
    )
    reversed_at: datetime | None = strawberry.field(
        description="When it was taken back; null if it was not."
    )
    transaction_id: strawberry.ID = strawberry.field(
        description="The ledger transaction that made it. A grant that is pending or declined has the id, and no transaction."
    )
    claim_transaction_id: strawberry.ID | None = strawberry.field(
        description="The ledger transaction that put its benefit into the member's hands."
    )
    reversal_transaction_id: strawberry.ID | None = strawberry.field(
        description="The ledger transaction that took it back."
    )

    @resolved("Who received it.")
    def member(self) -> Annotated[Member, strawberry.lazy("resolvers.types.member")]:
        """Name the member; nothing is read until a field other than the id is asked for."""
        # Members have grants and grants have members: one of the two has to look the other up late.
        from resolvers.types.member import to_member  # noqa: PLC0415 - see above

        return to_member(self.record.member_id)

    @resolved("What was granted, as it was then.", graphql_type=Reward)
    def reward(self, info: Info) -> Reward | Awaitable[Reward]:
        """Return the reward's version; a grant outside of the catalogue has its reward with it."""
        known = find_granted_reward(info.context.loaders, self.record)
        return known or load_granted_reward(info.context, self.record)

    @resolved("The organisation whose reward was granted.")
    def org_id(self) -> strawberry.ID:
        """Name the organisation."""
        return strawberry.ID(encode_id(IdKind.ORGANISATION, self.record.organisation_id))

    @resolved("The custom fields that it was issued with, in the order sent.")
    def custom_fields(self) -> list[CustomFieldValue]:
        """Return what the grant keeps."""
        return [
            to_custom_field_value(stored) for stored in self.record.details.get("custom_fields", ())
        ]

    @resolved("Where its fulfilment stands; null if its organisation has no stages.")
    async def fulfillment(self, info: Info) -> Fulfillment | None:
        """Load the steps; the grants of a list share one statement."""
        return await info.context.loaders.using(load_fulfillments).load(self.record.id)

    @resolved(
        "What the member got. Empty while the grant is pending, and if it was declined.",
        graphql_type=list[Benefit],
    )
    def benefits(self, info: Info) -> list[Benefit] | Awaitable[list[Benefit]]:
        """Return the benefits; their assets are known already, except behind a mutation."""
        loaders = info.context.loaders
        if loaders.knows_assets(assets_of([self.record])):
            return self._to_benefits(loaders)
        return self._load_benefits(loaders)

    async def _load_benefits(self, loaders: Loaders) -> list[Benefit]:
        await loaders.known_assets.load_many(assets_of([self.record]))
        return self._to_benefits(loaders)

    def _to_benefits(self, loaders: Loaders) -> list[Benefit]:
        return [to_benefit(benefit, loaders.assets) for benefit in self.record.benefits]


def to_grant(record: GrantRecord) -> Grant:
    """Return a grant as its GraphQL type."""
    return Grant(
        id=strawberry.ID(encode_id(IdKind.GRANT, record.id)),
        record=record,
        status=record.status,
        source=record.source,
        action_code=record.action_code,
        client_reference=record.client_reference,
        campaign_id=_to_campaign_id(record),
        metadata=JSON(dict(record.metadata)),
        date_rewarded=record.rewarded_at,
        claimed_at=record.claimed_at,
        expires_at=record.expires_at,
        reversed_at=record.reversed_at,
        transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, record.transaction_id)),
        claim_transaction_id=_to_transaction_id(record.claim_transaction_id),
        reversal_transaction_id=_to_transaction_id(record.reversal_transaction_id),
    )


async def load_grant_nodes(context: Context, ids: Sequence[UUID]) -> list[Grant | None]:
    """Return the grants that the caller may see, in the order of the ids; one statement."""
    records = await context.loaders.grants.load_many(ids)
    return [to_grant(record) if record else None for record in records]


def _to_transaction_id(transaction_id: UUID | None) -> strawberry.ID | None:
    if transaction_id is None:
        return None
    return strawberry.ID(encode_id(IdKind.TRANSACTION, transaction_id))


def _to_campaign_id(record: GrantRecord) -> strawberry.ID | None:
    campaign_id = record.details.get("campaign_id")
    return strawberry.ID(encode_id(IdKind.CAMPAIGN, UUID(campaign_id))) if campaign_id else None
