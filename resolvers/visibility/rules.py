"""Who sees what of the schema: one rule for each object type, which names each of its fields. Pure data.

Whose objects a caller sees is `gateway.visibility`'s; what its scopes let it ask for is declared with each field. A test holds that
every type and field of the schema stands here, and walks the schema with members' and partners' tokens to see that the rules hold.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Audience(enum.Enum):
    """Who sees objects of a type."""

    EVERYBODY = "Whoever has a credential of the tenant."
    HOLDER = "The member whose it is; and partners, as far as `gateway.visibility` lets them."
    PARTNERS = "Partners; a member's token meets none."
    ASKER = "Whoever asked: part of an answer, or of an object that the caller sees."


@dataclass(frozen=True, slots=True)
class Rule:
    """Who sees objects of a type, and what of them.

    `shown` are the fields for whoever sees the object. `partners` are the partner's own, such as notes: null for a member's token.
    """

    audience: Audience
    shown: frozenset[str]
    partners: frozenset[str] = frozenset()


def _rule(audience: Audience, shown: str, partners: str = "") -> Rule:
    return Rule(audience, frozenset(shown.split()), frozenset(partners.split()))


def _everybody(shown: str) -> Rule:
    return _rule(Audience.EVERYBODY, shown)


def _holder(shown: str, partners: str = "") -> Rule:
    return _rule(Audience.HOLDER, shown, partners)


def _partners(shown: str) -> Rule:
    return _rule(Audience.PARTNERS, shown)


def _asker(shown: str, partners: str = "") -> Rule:
    return _rule(Audience.ASKER, shown, partners)


def _reward(shown: str, partners: str = "") -> Rule:
    """Return the rule of a reward of the catalog; a member meets it as a version, on their grant."""
    common = "id orgId name description status memberMetadata paymentConfigs createdAt updatedAt"
    return _holder(f"{common} {shown}", f"metadata segments {partners}")


def _error(shown: str = "") -> Rule:
    return _asker(f"code message path httpStatus {shown}")


_HELD: Mapping[str, Rule] = {
    "Member": _holder(
        "id displayName createdAt externalId identifiers balances balance nextExpirations grants ledgerEntries notifications holds "
        "cards groups",
        "labels segments",
    ),
    "MemberIdentifier": _holder("identifierType identifierValue"),
    "MemberCard": _holder("number status"),
    "MemberLabel": _partners("name status"),
    "Balance": _holder("asset available held posted owed updatedAt"),
    "Expiration": _holder("asset amount expiresAt"),
    "Grant": _holder(
        "id status source actionCode memberMetadata dateRewarded claimedAt expiresAt reversedAt transactionId claimTransactionId "
        "reversalTransactionId member reward orgId fulfillment benefits",
        "clientReference campaignId metadata customFields",
    ),
    "Fulfillment": _holder("stage updatedAt history"),
    "FulfillmentStep": _holder("stage at", "note"),
    "CustomFieldValue": _partners("name type string integer decimal boolean date choice"),
    "AssetCredit": _holder("asset amount"),
    "ProductUnits": _holder("productId asset quantity"),
    "CompetitionEntries": _holder("competitionId asset entries"),
    "CouponCode": _holder("code expiresAt discountType discountValue"),
    "VendorVoucher": _holder("voucher validTill offerName seriesId quantity pointsRedeemed"),
    "Hold": _holder(
        "id asset amount status captured createdAt expiresAt endedAt transactionId member", "reason"
    ),
    "LedgerEntry": _holder("id asset amount balanceAfter transactionId kind occurredAt grant"),
    "Notification": _holder("id text createdAt readAt grant"),
    "GrantTotal": _holder("key grantCount amounts"),
    "AssetAmount": _holder("asset amount"),
    # Of a group, a member sees what they can pay with, and of its other members nothing; `primaryMember` is null but for themselves.
    "Group": _holder("id name createdAt primaryMember balances", "externalId members"),
}

_CATALOG: Mapping[str, Rule] = {
    "Asset": _rule(
        Audience.EVERYBODY, "id code name kind decimals expiresAfterDays ownerOrgId", "issuers"
    ),
    "PointsReward": _reward("asset amount"),
    "ProductReward": _reward("quantity", "product"),
    "CompetitionEntryReward": _reward("entries", "competition"),
    "UniqueCouponReward": _reward("", "codePool"),
    # The member's benefit has the code of what they were granted.
    "NonUniqueCouponReward": _reward("discountType discountValue", "code"),
    "VendorVoucherReward": _reward("offerName seriesId", "vendor"),
    "CustomReward": _holder("amount currencyCode actionCode"),
    "CurrencyReward": _holder("currency currencyAmount experiencePoints"),
    "PaymentConfig": _holder("id mode conversionRatio asset amount cashAsset cashAmount"),
    "Product": _partners("id assetId name createdAt stock"),
    "Competition": _partners("id assetId name createdAt"),
    "CodePool": _partners("id name createdAt codes"),
    "CodeCounts": _partners("free granted voided loaded"),
    "Vendor": _partners(
        "id orgId name timeoutSeconds createdAt updatedAt endpoint requestTemplate responseMapping secretHeaderName"
    ),
    "VendorResponseMapping": _partners("voucher validTill offerName seriesId"),
    "Segment": _partners("id name createdAt members"),
    "Campaign": _partners(
        "id name status triggers tiers tierMode limits timeZone startsAt endsAt createdAt updatedAt budget counts"
    ),
    "CampaignTrigger": _partners("eventType condition"),
    "CampaignTier": _partners("name condition rewardIds limits rewards"),
    "CampaignLimit": _partners("scope maximum calendar rollingSeconds"),
    "CampaignBudget": _partners("asset available"),
    "CampaignCounts": _partners("grants members"),
    "Organization": _partners("id name parentOrgId isOwn"),
    "CustomField": _partners("name type required choices"),
    "FulfillmentStage": _partners("name position"),
    "Till": _partners("id orgId name createdAt"),
}

_ANSWERS: Mapping[str, Rule] = {
    "Operation": _asker(
        "kind key state found id createdAt credentialId isComplete safeToRetry safeToUseNewKey advice"
    ),
    "FenceOperationPayload": _asker("fenced operation"),
    "ClaimRewardsPayload": _asker("requestId results idempotentReplay"),
    "ClaimResult": _asker("index grantId status grant"),
    "MarkNotificationsReadPayload": _asker("markedCount idempotentReplay"),
    "CreateMemberTokenPayload": _partners("token credentialId expiresAt idempotentReplay"),
    "RequestValidationCodePayload": _asker("validationCode expiresAt idempotentReplay"),
    "OperationStatus": _asker("success code message"),
    "PageInfo": _asker("hasNextPage hasPreviousPage startCursor endCursor"),
    "GrantRewardPayload": _partners("grant status dryRun idempotentReplay"),
    "IssueRewardsPayload": _partners(
        "status requestId transactionNumber notes brand till groupRedemption results dryRun idempotentReplay"
    ),
    "IssuanceResult": _partners(
        "index status rewardId orgId requestedQuantity quantity transactionId pointsReferenceIds requestId eventLogId params payment "
        "grant notes groupRedemption idempotentReplay"
    ),
    "PaymentSummary": _partners(
        "paymentMode id conversionRatio assetId totalRedemptionValue cashAssetId cashReference asset pointsRedeemed cashAmount"
    ),
    "BatchStatus": _partners("success code message"),
    "DistributeRewardsPayload": _partners(
        "txId requestId timestamp processedCount failedCount dryRun idempotentReplay results failures retryInput"
    ),
    "DistributionResult": _partners("index identifierType identifierValue status grant"),
    "DistributionFailure": _partners("index identifierType identifierValue errors"),
    "RecordEventPayload": _partners("eventId member occurredAt campaigns idempotentReplay"),
    "CampaignEventOutcome": _partners("campaign status checks tiers"),
    "CampaignTierOutcome": _partners("index name checks effects"),
    "CampaignEffect": _partners("rewardId status grant"),
    "CampaignCheck": _partners("kind passed message left resetsAt"),
    "ReverseGrantPayload": _partners("grant transactionId idempotentReplay"),
    "ReverseOperationPayload": _partners(
        "requestId reversedCount refusedCount results idempotentReplay"
    ),
    "ReversalResult": _partners("grantId status transactionId grant"),
    "UpdateFulfillmentPayload": _partners("grant idempotentReplay"),
    "ReservePayload": _partners("hold idempotentReplay"),
    "CapturePayload": _partners("hold idempotentReplay"),
    "ReleasePayload": _partners("hold idempotentReplay"),
    "UpsertMemberPayload": _partners("member wasCreated idempotentReplay"),
    "LinkIdentifierPayload": _partners("member idempotentReplay"),
    "SetMemberCardsPayload": _partners("member idempotentReplay"),
    "SetMemberLabelsPayload": _partners("member idempotentReplay"),
    "CreateGroupPayload": _partners("group idempotentReplay"),
    "SetGroupMembersPayload": _partners("group addedCount removedCount idempotentReplay"),
    "FundGroupPayload": _partners("group member transactionId idempotentReplay"),
    "CreateSegmentPayload": _partners("segment idempotentReplay"),
    "SetSegmentMembersPayload": _partners("segment addedCount removedCount idempotentReplay"),
    "CreateAssetPayload": _partners("asset idempotentReplay"),
    "SetAssetIssuersPayload": _partners("asset idempotentReplay"),
    "CreateRewardPayload": _partners("reward idempotentReplay"),
    "UpdateRewardPayload": _partners("reward idempotentReplay"),
    "DeleteRewardPayload": _partners("deletedRewardId idempotentReplay"),
    "CreateProductPayload": _partners("product idempotentReplay"),
    "RestockProductPayload": _partners("product stock idempotentReplay"),
    "CreateCompetitionPayload": _partners("competition idempotentReplay"),
    "CreateCodePoolPayload": _partners("codePool idempotentReplay"),
    "ImportCodesPayload": _partners("codePool acceptedCount duplicateCount idempotentReplay"),
    "CreateCampaignPayload": _partners("campaign idempotentReplay"),
    "UpdateCampaignPayload": _partners("campaign idempotentReplay"),
    "FundCampaignPayload": _partners("campaign available transactionId idempotentReplay"),
    "CreateVendorPayload": _partners("vendor idempotentReplay"),
    "UpdateVendorPayload": _partners("vendor idempotentReplay"),
    "CreateTillPayload": _partners("till idempotentReplay"),
    "DefineCustomFieldPayload": _partners("customField idempotentReplay"),
    "DefineFulfillmentStagePayload": _partners("stage idempotentReplay"),
}

_ERRORS: Mapping[str, Rule] = {
    "InvalidInput": _error("fieldErrors"),
    "FieldError": _asker("path rule message"),
    "NotFound": _error(),
    "Forbidden": _error(),
    "Conflict": _error(),
    "RewardUnavailable": _error(),
    "NotReversible": _error(),
    "HoldEnded": _error(),
    "IdempotencyConflict": _error("differingFields"),
    "RequestInProgress": _error(),
    "Overloaded": _error(),
    "LimitExceeded": _error("assetId assetCode dailyMaximum left resetsAt"),
    "InsufficientBalance": _error("shortfalls"),
    "Shortfall": _asker("assetId required available missing"),
    "DistributionRejected": _error("requestId errors failures"),
}

# Whatever is listed has a page and edges, which show nothing but what is listed.
_LISTED = [
    "Asset",
    "Campaign",
    "CodePool",
    "Competition",
    "Grant",
    "Hold",
    "LedgerEntry",
    "Member",
    "Notification",
    "Product",
    "Reward",
    "Segment",
    "Vendor",
]
_LISTS: Mapping[str, Rule] = {
    **{f"{name}Connection": _asker("edges pageInfo totalCount") for name in _LISTED},
    **{f"{name}Edge": _asker("node cursor") for name in _LISTED},
}

RULES: Mapping[str, Rule] = {**_HELD, **_CATALOG, **_ANSWERS, **_ERRORS, **_LISTS}
# Fields that types have from an interface are written once, for the interface.
INTERFACE_PARTNERS: Mapping[str, frozenset[str]] = {
    "RewardDefinition": frozenset({"metadata", "segments"})
}


def is_partners_own(type_name: str, field_name: str) -> bool:
    """Tell whether a field of a type, or of an interface, is the partner's own: null for a member's token."""
    rule = RULES.get(type_name)
    partners = rule.partners if rule else INTERFACE_PARTNERS.get(type_name, frozenset())
    return field_name in partners
