"""What became of an idempotency key."""

from __future__ import annotations

import enum
from datetime import datetime

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.operations.fencing import KeyRecord
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
        "SET_ASSET_ISSUERS": "`setAssetIssuers`, by its request id.",
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
        "CREATE_MEMBER_TOKEN": "`createMemberToken`, by its request id.",
        "CREATE_CAMPAIGN": "`createCampaign`, by its request id.",
        "UPDATE_CAMPAIGN": "`updateCampaign`, by its request id.",
        "FUND_CAMPAIGN": "`fundCampaign`, by its request id.",
        "RECORD_EVENT": "`recordEvent`, by its event id.",
        "CREATE_VENDOR": "`createVendor`, by its request id.",
        "UPDATE_VENDOR": "`updateVendor`, by its request id.",
        "MARK_NOTIFICATIONS_READ": "`markNotificationsRead`, by its request id.",
        "REVERSE_OPERATION": "`reverseOperation`, by its request id.",
        "RESERVE": "`reserve`, by its request id.",
        "CAPTURE": "`capture`, by its request id.",
        "RELEASE": "`release`, by its request id.",
        "EXPIRE": "What the gateway ended by itself; no partner has such keys.",
    },
)


class OperationState(enum.StrEnum):
    """What is known of a key."""

    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    COMPLETE = "COMPLETE"
    FENCED = "FENCED"


expose_enum(
    OperationState,
    "What is known of an idempotency key.",
    {
        "UNKNOWN": "Nothing was done under it, or it is being done right now: a late arrival may still do it.",
        "PENDING": "It was done, and vendors have not answered for some of its rewards yet.",
        "COMPLETE": "It was done, and its answer can be replayed.",
        "FENCED": "Nothing was done under it, and nothing ever will be.",
    },
)

_ADVICE = {
    OperationState.UNKNOWN: (
        "Nothing was done under this key, or it is being done right now. Send the same request with the same key: it is "
        "done once, whichever arrives first. To give it up, fence it."
    ),
    OperationState.PENDING: (
        "It was done, and vendors have not answered for some of its rewards yet. Send the same request with the same key "
        "later to see what has become of them."
    ),
    OperationState.COMPLETE: "It was done. Send the same request with the same key to have its answer again.",
    OperationState.FENCED: "It was not done and cannot be any more. Send it under a new key, or let it be.",
}


@strawberry.type(
    description="What became of an idempotency key, for whoever got no answer: a time-out, a dropped connection."
)
class Operation:
    """A key's state."""

    kind: OperationKind = strawberry.field(description="What the key was looked up for.")
    key: str = strawberry.field(description="The key.")
    state: OperationState = strawberry.field(description="What is known of the key.")
    found: bool = strawberry.field(
        description="Whether an operation with this key was done, or fenced. False while one is still running."
    )
    id: strawberry.ID | None = strawberry.field(
        description="The operation's id; null if none was found."
    )
    created_at: datetime | None = strawberry.field(
        description="When it began; null if none was found."
    )
    credential_id: strawberry.ID | None = strawberry.field(
        description="The credential that sent it, as `gateway token list` shows it; an issuer's id where its token did; "
        "null if none was found."
    )
    is_complete: bool = strawberry.field(
        description="Whether all of its effects are there and its answer can be replayed."
    )
    safe_to_retry: bool = strawberry.field(
        description="Whether sending the same request with the same key is safe: it never acts twice."
    )
    safe_to_use_new_key: bool = strawberry.field(
        description="Whether sending the same request under a new key is safe: only after a fence can this key not act as well."
    )
    advice: str = strawberry.field(description="What to do now, in a sentence.")


def to_operation(
    kind: OperationKind, key: str, record: KeyRecord | None, *, is_waiting: bool = False
) -> Operation:
    """Return what is stored of a key as its GraphQL type; None stands for nothing. Vendors may still be waited for."""
    state = _to_state(record, is_waiting=is_waiting)
    return Operation(
        kind=kind,
        key=key,
        state=state,
        found=record is not None,
        id=strawberry.ID(encode_id(IdKind.OPERATION, record.id)) if record else None,
        created_at=record.created_at if record else None,
        credential_id=_to_credential_id(record),
        is_complete=state is OperationState.COMPLETE,
        safe_to_retry=True,
        safe_to_use_new_key=state is OperationState.FENCED,
        advice=_ADVICE[state],
    )


def _to_credential_id(record: KeyRecord | None) -> strawberry.ID | None:
    if record is None or record.credential_id is None:
        return None
    return strawberry.ID(str(record.credential_id))


def _to_state(record: KeyRecord | None, *, is_waiting: bool) -> OperationState:
    if record is None:
        return OperationState.UNKNOWN
    if record.is_fenced:
        return OperationState.FENCED
    return OperationState.PENDING if is_waiting else OperationState.COMPLETE
