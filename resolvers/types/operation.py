"""What became of an idempotency key."""

from __future__ import annotations

from datetime import datetime

import strawberry

from gateway.operations.model import OperationKind
from resolvers.enums import expose_enum

expose_enum(
    OperationKind,
    "What an idempotency key was used for; the same key may be used once for each kind.",
    {
        "GRANT_REWARD": "`grantReward`, by its client reference.",
        "ISSUE_REWARDS": "`issueRewards`, by its request id.",
        "ISSUE_REWARDS_ITEM": "One item of `issueRewards`, by the item's request id.",
        "DISTRIBUTE_REWARDS": "`distributeRewards`, by its request id.",
        "CLAIM_REWARDS": "`claimRewards`, by its request id.",
        "REVERSE_GRANT": "`reverseGrant`, by its request id.",
        "CREATE_REWARD": "`createReward`, by its request id.",
        "UPDATE_REWARD": "`updateReward`, by its request id.",
        "DELETE_REWARD": "`deleteReward`, by its request id.",
        "CREATE_ASSET": "`createAsset`, by its request id.",
        "CREATE_PRODUCT": "`createProduct`, by its request id.",
        "RESTOCK_PRODUCT": "`restockProduct`, by its request id.",
        "CREATE_COMPETITION": "`createCompetition`, by its request id.",
        "CREATE_CODE_POOL": "`createCodePool`, by its request id.",
        "IMPORT_CODES": "`importCodes`, by its request id.",
        "UPSERT_MEMBER": "`upsertMember`, by its request id.",
        "LINK_IDENTIFIER": "`linkIdentifier`, by its request id.",
        "CREATE_GROUP": "`createGroup`, by its request id.",
        "SET_GROUP_MEMBERS": "`setGroupMembers`, by its request id.",
        "FUND_GROUP": "`fundGroup`, by its request id.",
        "CREATE_SEGMENT": "`createSegment`, by its request id.",
        "SET_SEGMENT_MEMBERS": "`setSegmentMembers`, by its request id.",
        "SET_MEMBER_CARDS": "`setMemberCards`, by its request id.",
        "SET_MEMBER_LABELS": "`setMemberLabels`, by its request id.",
        "DEFINE_CUSTOM_FIELD": "`defineCustomField`, by its request id.",
        "DEFINE_FULFILLMENT_STAGE": "`defineFulfillmentStage`, by its request id.",
        "UPDATE_FULFILLMENT": "`updateFulfillment`, by its request id.",
        "CREATE_TILL": "`createTill`, by its request id.",
        "REQUEST_VALIDATION_CODE": "`requestValidationCode`, by its request id.",
        "CREATE_CAMPAIGN": "`createCampaign`, by its request id.",
        "UPDATE_CAMPAIGN": "`updateCampaign`, by its request id.",
        "FUND_CAMPAIGN": "`fundCampaign`, by its request id.",
        "RECORD_EVENT": "`recordEvent`, by its event id.",
        "CREATE_VENDOR": "`createVendor`, by its request id.",
        "UPDATE_VENDOR": "`updateVendor`, by its request id.",
    },
)


@strawberry.type(
    description="What became of an idempotency key, for whoever got no answer: a time-out, a dropped connection."
)
class Operation:
    """A key's state."""

    kind: OperationKind = strawberry.field(description="What the key was looked up for.")
    key: str = strawberry.field(description="The key.")
    found: bool = strawberry.field(
        description="Whether an operation with this key was done. False while one is still running."
    )
    id: strawberry.ID | None = strawberry.field(
        description="The operation's id; null if none was found."
    )
    created_at: datetime | None = strawberry.field(
        description="When it began; null if none was found."
    )
    is_complete: bool = strawberry.field(
        description="Whether all of its effects are there and its answer can be replayed."
    )
    safe_to_retry: bool = strawberry.field(
        description="Whether sending the same request with the same key is safe: it never acts twice."
    )
    advice: str = strawberry.field(description="What to do now, in a sentence.")
