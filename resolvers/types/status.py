"""What became of one item, and of a batch."""

from __future__ import annotations

from functools import lru_cache

import strawberry

from gateway.grants.status import ItemStatus, StatusCode
from gateway.issuing.model import BatchOutcome
from resolvers.enums import expose_enum

expose_enum(
    StatusCode,
    "Stable codes of per-item results. Codes may be added; none changes its meaning.",
    {
        "GRANTED": "The reward was granted.",
        "ALREADY_ISSUED": "The member holds a code of this reward already; it is answered and none was drawn.",
        "QUANTITY_REDUCED": "One was issued: the reward or its payment mode allows no more.",
        "CLAIMED": "The grant's benefit is now in the member's hands.",
        "ALREADY_CLAIMED": "The grant was claimed before; nothing changed.",
        "NOT_CLAIMABLE": "The grant cannot be claimed in its status.",
        "GRANT_NOT_FOUND": "The member has no such grant.",
        "REWARD_NOT_FOUND": "No such reward is visible to the caller.",
        "REWARD_INACTIVE": "The reward is not active.",
        "ASSET_FORBIDDEN": "The reward credits or costs an asset whose owner does not name the reward's organization as an issuer.",
        "OUT_OF_STOCK": "The product has too few units left.",
        "POOL_EXHAUSTED": "The pool has no free coupon code left.",
        "INSUFFICIENT_BALANCE": "The balance would go below zero.",
        "BALANCE_TOO_HIGH": "The balance would exceed what the ledger can count.",
        "PAYMENT_CONFIG_REQUIRED": "The reward has several payment configurations and none was named.",
        "PAYMENT_CONFIG_NOT_FOUND": "The reward has no such payment configuration.",
        "INVALID_QUANTITY": "The quantity, or the cost that follows from it, is out of bounds.",
        "IDEMPOTENCY_CONFLICT": "The item's request id was used before with another item.",
        "RECIPIENT_NOT_FOUND": "No member has the identifier.",
        "INVALID_LINE": "The line breaks one or more rules; every one is listed.",
        "CASH_REFERENCE_REQUIRED": "The payment has a cash part, and no reference of the cash payment was given.",
        "CASH_REFERENCE_UNEXPECTED": "A reference of a cash payment was given, and the payment has no cash part.",
        "CASH_REFERENCE_TAKEN": "The cash payment with this reference has paid for another issuance.",
        "NOT_IN_SEGMENT": "The reward is reserved for segments, and the member is in none of them.",
        "CARD_INACTIVE": "The member has cards, and none of them is active.",
        "LABEL_INACTIVE": "The member has labels, and none of them is active.",
        "INVALID_CUSTOM_FIELD": "A custom field is undeclared, of another type than declared, or missing; every reason is listed.",
        "STAGE_NOT_FOUND": "The reward's organization has no such fulfillment stage.",
        "BUDGET_EXHAUSTED": "The campaign's budget has too little left.",
        "LIMIT_REACHED": "A limit of the campaign or tier allows no more in its window.",
        "LIMIT_EXCEEDED": "The credential's daily limit of the asset has too little left.",
        "CAMPAIGN_INACTIVE": "The campaign is not active.",
        "OUTSIDE_PERIOD": "The event occurred before the campaign began or after it ended.",
        "NOT_TRIGGERED": "The campaign does not listen for this type of event.",
        "CONDITION_NOT_MET": "The condition does not hold for this event.",
        "CONDITION_FAILED": "The condition has no answer for this event, so it counts as not met.",
        "TIER_NOT_CHOSEN": "An earlier tier matched, and the campaign gives the first that does.",
        "PENDING": "A vendor has not answered yet. What it costs is held; ask again with the same key.",
        "VENDOR_DECLINED": "The vendor did not issue it. Nothing was taken.",
        "REVERSED": "All that the grant moved was moved back.",
        "ALREADY_REVERSED": "The grant was reversed before; nothing changed.",
        "BENEFIT_SPENT": "The member has spent what the grant gave, and the policy allows no debt.",
        "NOT_REVERSIBLE": "The grant cannot be reversed in its status.",
    },
)

expose_enum(
    BatchOutcome,
    "How much of a batch was done.",
    {
        "ALL": "Every item succeeded.",
        "PARTIAL": "Some items succeeded and some failed.",
        "NONE": "No item succeeded; nothing was taken.",
        "PENDING": "A vendor has not answered for some items yet; ask again with the same key.",
    },
)


@strawberry.type(description="What became of one item of a batch, or of the batch as a whole.")
class OperationStatus:
    """Success, a code and a sentence."""

    success: bool = strawberry.field(description="Whether the effect is there.")
    code: StatusCode = strawberry.field(description="Stable code to branch on.")
    message: str = strawberry.field(
        description="One sentence for a person; its wording may change."
    )


# Nearly all items have one of a few, and nobody changes what is made of them.
@lru_cache(maxsize=256)
def to_status(status: ItemStatus) -> OperationStatus:
    """Return an item's result as its GraphQL type."""
    return OperationStatus(success=status.is_success, code=status.code, message=status.message)
