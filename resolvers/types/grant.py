"""Grants: one reward in one member's hands."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from gateway.grants.record import GrantSource, GrantStatus
from gateway.grants.row import GrantColumns, GrantRow, ShownGrant
from gateway.ids import IdKind, encode_id
from resolvers.codes import CodeView
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.node import Node
from resolvers.scalars import JSON
from resolvers.selection import selected_names
from resolvers.types.benefit import Benefit, to_benefit
from resolvers.types.custom_field import CustomFieldValue, to_custom_field_value
from resolvers.types.fulfillment import Fulfillment, load_fulfillments
from resolvers.types.granted_reward import present_granted_reward
from resolvers.types.reward import Reward

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
        "MANUAL": "`grantReward` with a reward of the catalog.",
        "PARTNER_ACTION": "`grantReward` with a custom reward for an action.",
        "ISSUANCE": "`issueRewards`.",
        "DISTRIBUTION": "`distributeRewards`.",
        "CAMPAIGN": "A campaign's rule.",
    },
)


# The fields that need the columns which a list reads only if one of them is selected.
SUMMARY_FIELDS = frozenset({"actionCode", "benefits", "member", "orgId"})
DETAIL_FIELDS = frozenset(
    {
        "campaignId",
        "claimTransactionId",
        "claimedAt",
        "clientReference",
        "customFields",
        "expiresAt",
        "memberMetadata",
        "metadata",
        "reversalTransactionId",
        "reversedAt",
        "transactionId",
    }
)


@strawberry.type(description="One reward in one member's hands.")
class Grant(Node):
    """A grant as it stands now; what was granted never changes."""

    record: strawberry.Private[ShownGrant]
    # Of nearly all grants: no part of each, so that making one takes no longer.
    code_view = CodeView.BY_SCOPE

    def __init__(self, id: strawberry.ID, record: ShownGrant) -> None:
        """Keep the record; by position, which is twice as fast as the names that Strawberry's own would want."""
        self.id = id
        self.record = record

    @resolved("Where it stands.")
    def status(self) -> GrantStatus:
        """Return what the record has."""
        return self.record.status

    @resolved("Which operation made it.")
    def source(self) -> GrantSource:
        """Return what the record has."""
        return self.record.source

    @resolved("What the member did for it, as the partner names it.")
    def action_code(self) -> str | None:
        """Return what the record has."""
        return self.record.action_code

    @resolved("The partner's own reference for it. Null for members.")
    def client_reference(self) -> str | None:
        """Return what the record has."""
        return self.record.client_reference

    @resolved("The campaign that gave it; null if none did. Null for members.")
    def campaign_id(self) -> strawberry.ID | None:
        """Name the campaign."""
        campaign_id = self.record.details.get("campaign_id")
        return strawberry.ID(IdKind.CAMPAIGN + campaign_id) if campaign_id else None

    @resolved("What the partner kept with it. Null for members.")
    def metadata(self) -> JSON | None:
        """Return what the record has."""
        return JSON(dict(self.record.metadata))

    @resolved("What the partner lets the member read with it; empty if nothing.")
    def member_metadata(self) -> JSON:
        """Return what the record has."""
        return JSON(dict(self.record.member_metadata))

    @resolved("When it was granted.", graphql_type=datetime)
    def date_rewarded(self) -> datetime | str:
        """Return what the record has: in lists it is written already."""
        record = self.record
        return record.rewarded_at_text if isinstance(record, GrantRow) else record.rewarded_at

    @resolved("When its benefit came into the member's hands; null if it has not.")
    def claimed_at(self) -> datetime | None:
        """Return what the record has."""
        return self.record.claimed_at

    @resolved(
        "When its code expires, or when it has to be claimed by; null if there is no such time."
    )
    def expires_at(self) -> datetime | None:
        """Return what the record has."""
        return self.record.expires_at

    @resolved("When it was taken back; null if it was not.")
    def reversed_at(self) -> datetime | None:
        """Return what the record has."""
        return self.record.reversed_at

    @resolved(
        "The ledger transaction that made it. A grant that is pending or declined has the id, and no transaction."
    )
    def transaction_id(self) -> strawberry.ID:
        """Name the transaction."""
        return strawberry.ID(encode_id(IdKind.TRANSACTION, self.record.transaction_id))

    @resolved("The ledger transaction that put its benefit into the member's hands.")
    def claim_transaction_id(self) -> strawberry.ID | None:
        """Name the transaction."""
        return _to_transaction_id(self.record.claim_transaction_id)

    @resolved("The ledger transaction that took it back.")
    def reversal_transaction_id(self) -> strawberry.ID | None:
        """Name the transaction."""
        return _to_transaction_id(self.record.reversal_transaction_id)

    @resolved("Who received it.")
    def member(
        self, info: Info
    ) -> Annotated[Member, strawberry.lazy("resolvers.types.member")] | None:
        """Name the member; nothing is read until a field other than the id is asked for."""
        # Members have grants and grants have members: one of the two has to look the other up late.
        from resolvers.types.member import to_member  # noqa: PLC0415 - see above

        return to_member(info.context, self.record.member_id)

    @resolved("What was granted, as it was then.", graphql_type=Reward | None)
    def reward(self, info: Info) -> Reward | Awaitable[Reward]:
        """Return the reward's version; a grant outside of the catalog has its reward with it."""
        return present_granted_reward(info.context.loaders, self.record)

    @resolved("The organization whose reward was granted.")
    def org_id(self) -> strawberry.ID:
        """Name the organization."""
        return strawberry.ID(encode_id(IdKind.ORGANIZATION, self.record.organization_id))

    @resolved("The custom fields that it was issued with, in the order sent. Null for members.")
    def custom_fields(self) -> list[CustomFieldValue] | None:
        """Return what the grant keeps."""
        return [
            to_custom_field_value(stored) for stored in self.record.details.get("custom_fields", ())
        ]

    @resolved("Where its fulfillment stands; null if its organization has no stages.")
    async def fulfillment(self, info: Info) -> Fulfillment | None:
        """Load the steps; the grants of a list share one statement."""
        return await info.context.loaders.using(load_fulfillments).load(self.record.id)

    @resolved("What the member got. Empty while the grant is pending, and if it was declined.")
    def benefits(self) -> list[Benefit] | None:
        """Return what the grant keeps."""
        record, view = self.record, self.code_view
        return [to_benefit(benefit, record, view) for benefit in record.benefits]


def choose_columns(info: Info) -> GrantColumns:
    """Return how much of each grant a list reads for what is selected of it."""
    names = selected_names(info)
    if not names.isdisjoint(DETAIL_FIELDS):
        return GrantColumns.DETAIL
    return GrantColumns.LEAN if names.isdisjoint(SUMMARY_FIELDS) else GrantColumns.SUMMARY


_PREFIX = IdKind.GRANT.value


def to_grant(record: ShownGrant) -> Grant:
    """Return a grant as its GraphQL type."""
    # Lists make many: the steps of `encode_id` would cost as much as the grant itself.
    return Grant(_PREFIX + str(record.id), record)  # type: ignore[arg-type]  # an ID is a string


def to_issued_grant(record: ShownGrant, view: CodeView) -> Grant:
    """Return the grant of a call that issued it, which shows its code as `view` says."""
    grant = to_grant(record)
    grant.code_view = view
    return grant


async def load_grant_nodes(context: Context, ids: Sequence[UUID]) -> list[Grant | None]:
    """Return the grants that the caller may see, in the order of the ids; one statement."""
    records = await context.loaders.grants.load_many(ids)
    return [to_grant(record) if record else None for record in records]


def _to_transaction_id(transaction_id: UUID | None) -> strawberry.ID | None:
    if transaction_id is None:
        return None
    return strawberry.ID(encode_id(IdKind.TRANSACTION, transaction_id))
