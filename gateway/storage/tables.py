"""The data model on one page, as Piccolo tables.

Primary keys lead with the tenant in the database; Piccolo knows one key column, so `primary_key` marks the last part of
each. The DDL stands in migrations/, and a test compares the two column by column.
"""

from piccolo.columns import (
    JSONB,
    UUID,
    BigInt,
    Boolean,
    Bytea,
    Date,
    Integer,
    Numeric,
    SmallInt,
    Text,
    Timestamptz,
)
from piccolo.table import Table

from gateway.storage.statement_writer import STATEMENT_WRITER


class SecretKey(Table, tablename="secret_keys", db=STATEMENT_WRITER):
    """A master key that values of this database are sealed with: its id only."""

    ordinal = Integer(default=None, primary_key=True)
    id = Text(default=None, unique=True)
    recorded_at = Timestamptz(default=None)


class Tenant(Table, tablename="tenants", db=STATEMENT_WRITER):
    """A group of connected organizations: the unit of isolation, with its standard assets."""

    id = UUID(default=None, primary_key=True)
    name = Text(default=None)
    points_asset_id = UUID(default=None)
    experience_asset_id = UUID(default=None)
    cash_asset_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    # Its tokens say `test` instead of `live`.
    is_test = Boolean(default=None)


class Organization(Table, tablename="organizations", db=STATEMENT_WRITER):
    """One organization of a tenant; owns catalog and grants."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    name = Text(default=None)
    created_at = Timestamptz(default=None)
    parent_id = UUID(default=None, null=True)


class Credential(Table, tablename="credentials", db=STATEMENT_WRITER):
    """A partner's or member's token: only the hash of its secret is kept."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    partner_id = UUID(default=None)
    member_id = UUID(default=None, null=True)
    label = Text(default=None)
    scopes = Text(default=None)
    secret_hash = Bytea(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None, null=True)
    revoked_at = Timestamptz(default=None, null=True)
    # The other organizations that it may act for; `uuid[]` in the database.
    reach = Text(default=None)
    # While a token is being replaced, both are good: the earlier one until this time.
    previous_secret_hash = Bytea(default=None, null=True)
    previous_until = Timestamptz(default=None, null=True)
    last_used_at = Timestamptz(default=None, null=True)
    till_id = UUID(default=None, null=True)
    # The credential that made it, at run time.
    created_by = UUID(default=None, null=True)


class CredentialLimit(Table, tablename="credential_limits", db=STATEMENT_WRITER):
    """How much of an asset a credential may issue in a day, and how much it has on the latest day that it did."""

    tenant_id = UUID(default=None)
    credential_id = UUID(default=None)
    asset_id = UUID(default=None)
    maximum_minor = BigInt(default=None)
    used_minor = BigInt(default=None)
    day = Date(default=None)


class Asset(Table, tablename="assets", db=STATEMENT_WRITER):
    """Anything countable: points, experience, a currency, cash, a product, a competition's entries."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    code = Text(default=None)
    name = Text(default=None)
    kind = Text(default=None)
    scale = SmallInt(default=None)
    created_at = Timestamptz(default=None)
    expires_after_days = Integer(default=None, null=True)
    # The owner; None of the tenant's own, which all of its organizations share.
    organization_id = UUID(default=None, null=True)


class AssetIssuer(Table, tablename="asset_issuers", db=STATEMENT_WRITER):
    """An organization that the owner of an asset names: it may credit and deduct the asset too."""

    tenant_id = UUID(default=None)
    asset_id = UUID(default=None)
    organization_id = UUID(default=None, primary_key=True)


class Account(Table, tablename="accounts", db=STATEMENT_WRITER):
    """A bounded holder of one asset's balance. Unbounded system accounts have entries and no row, so they never lock."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    asset_id = UUID(default=None)
    owner_kind = Text(default=None)
    owner_id = UUID(default=None)
    posted_minor = BigInt(default=None)
    held_minor = BigInt(default=None)
    entry_count = BigInt(default=None)
    chain_hash = Bytea(default=None)
    updated_at = Timestamptz(default=None)
    debt_minor = BigInt(default=None)
    expires_after_days = Integer(default=None, null=True)


class LedgerTransaction(Table, tablename="ledger_transactions", db=STATEMENT_WRITER):
    """A set of entries that sums to zero per asset. Append-only."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    kind = Text(default=None)
    operation_id = UUID(default=None)
    reverses_id = UUID(default=None, null=True)
    description = Text(default=None, null=True)
    occurred_at = Timestamptz(default=None)
    credential_id = UUID(default=None, null=True)
    written_in = BigInt(default=None)


class LedgerEntry(Table, tablename="ledger_entries", db=STATEMENT_WRITER):
    """One side of a transfer. Append-only; chained by hash on bounded accounts."""

    tenant_id = UUID(default=None)
    transaction_id = UUID(default=None)
    index = Integer(default=None, primary_key=True)
    account_id = UUID(default=None)
    asset_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    grant_id = UUID(default=None, null=True)
    occurred_at = Timestamptz(default=None)
    sequence = BigInt(default=None, null=True)
    balance_after_minor = BigInt(default=None, null=True)
    chain_hash = Bytea(default=None, null=True)


class Hold(Table, tablename="holds", db=STATEMENT_WRITER):
    """A reserved part of an account's balance; ends once."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    account_id = UUID(default=None)
    operation_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    status = Text(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)


class OutboxEvent(Table, tablename="outbox_events", db=STATEMENT_WRITER):
    """One event per ledger transaction, for whoever relays them."""

    tenant_id = UUID(default=None)
    transaction_id = UUID(default=None, primary_key=True)
    kind = Text(default=None)
    payload = JSONB(default=None)
    created_at = Timestamptz(default=None)


class Operation(Table, tablename="operations", db=STATEMENT_WRITER):
    """An idempotency key with its fingerprint and stored answer."""

    tenant_id = UUID(default=None)
    partner_id = UUID(default=None)
    kind = Text(default=None)
    key = Text(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    field_hashes = JSONB(default=None)
    answer = JSONB(default=None, null=True)
    created_at = Timestamptz(default=None)
    fenced_at = Timestamptz(default=None, null=True)
    credential_id = UUID(default=None, null=True)
    written_in = BigInt(default=None)


class Member(Table, tablename="members", db=STATEMENT_WRITER):
    """A person who receives rewards."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    display_name = Text(default=None, null=True)
    created_at = Timestamptz(default=None)
    # Who made the member: it may change them, and whose credential reaches it.
    organization_id = UUID(default=None)


class MemberIdentifier(Table, tablename="member_identifiers", db=STATEMENT_WRITER):
    """A normalized address of a member, unique in the tenant per kind."""

    tenant_id = UUID(default=None)
    kind = Text(default=None)
    value = Text(default=None, primary_key=True)
    member_id = UUID(default=None)
    created_at = Timestamptz(default=None)


class Product(Table, tablename="products", db=STATEMENT_WRITER):
    """A product; its units are the asset of the same id."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    created_at = Timestamptz(default=None)


class Competition(Table, tablename="competitions", db=STATEMENT_WRITER):
    """A competition; its entries are the asset of the same id."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    created_at = Timestamptz(default=None)


class CodePool(Table, tablename="code_pools", db=STATEMENT_WRITER):
    """A pool of unique coupon codes."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    created_at = Timestamptz(default=None)


class CodeImport(Table, tablename="code_imports", db=STATEMENT_WRITER):
    """One load of codes: how many were new and how many were known."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    pool_id = UUID(default=None)
    accepted_count = Integer(default=None)
    duplicate_count = Integer(default=None)
    created_at = Timestamptz(default=None)


class Code(Table, tablename="codes", db=STATEMENT_WRITER):
    """One unique coupon code: sealed, with a keyed hash of it that is unique in the organization."""

    tenant_id = UUID(default=None)
    pool_id = UUID(default=None)
    status = Text(default=None)
    grant_id = UUID(default=None, null=True)
    expires_at = Timestamptz(default=None, null=True)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    code_index = Bytea(default=None)
    code_sealed = Bytea(default=None)


class Reward(Table, tablename="rewards", db=STATEMENT_WRITER):
    """A catalog entry; what it gives stands in its current version."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    kind = Text(default=None)
    status = Text(default=None)
    version_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    deleted_at = Timestamptz(default=None, null=True)


class RewardVersion(Table, tablename="reward_versions", db=STATEMENT_WRITER):
    """What a reward was at one time. Immutable, so that a grant keeps showing it."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    reward_id = UUID(default=None)
    name = Text(default=None)
    description = Text(default=None, null=True)
    configuration = JSONB(default=None)
    metadata = JSONB(default=None)
    member_metadata = JSONB(default=None)
    created_at = Timestamptz(default=None)


class PaymentConfig(Table, tablename="payment_configs", db=STATEMENT_WRITER):
    """One way to pay for a reward."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    reward_id = UUID(default=None)
    mode = Text(default=None)
    asset_id = UUID(default=None, null=True)
    amount_minor = BigInt(default=None, null=True)
    cash_asset_id = UUID(default=None, null=True)
    cash_amount_minor = BigInt(default=None, null=True)
    conversion_ratio = Numeric(default=None, null=True)
    archived_at = Timestamptz(default=None, null=True)


class Grant(Table, tablename="grants", db=STATEMENT_WRITER):
    """One reward in one member's hands."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    member_id = UUID(default=None)
    operation_id = UUID(default=None)
    line_index = Integer(default=None)
    source = Text(default=None)
    kind = Text(default=None)
    status = Text(default=None)
    reward_id = UUID(default=None, null=True)
    reward_version_id = UUID(default=None, null=True)
    action_code = Text(default=None, null=True)
    client_reference = Text(default=None, null=True)
    metadata = JSONB(default=None)
    benefits = JSONB(default=None)
    details = JSONB(default=None)
    rewarded_at = Timestamptz(default=None)
    claimed_at = Timestamptz(default=None, null=True)
    expires_at = Timestamptz(default=None, null=True)
    reversed_at = Timestamptz(default=None, null=True)
    transaction_id = UUID(default=None)
    entry_from = Integer(default=None)
    entry_to = Integer(default=None)
    claim_transaction_id = UUID(default=None, null=True)
    reversal_transaction_id = UUID(default=None, null=True)
    written_in = BigInt(default=None)


class CouponAssignment(Table, tablename="coupon_assignments", db=STATEMENT_WRITER):
    """Which code of a unique-coupon reward a member holds: at most one."""

    tenant_id = UUID(default=None)
    reward_id = UUID(default=None, primary_key=True)
    member_id = UUID(default=None)
    grant_id = UUID(default=None)


class Issuance(Table, tablename="issuances", db=STATEMENT_WRITER):
    """What a caller sent along with an issuance, kept for echo and audit."""

    tenant_id = UUID(default=None)
    operation_id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    member_id = UUID(default=None)
    request_id = Text(default=None)
    transaction_number = Text(default=None, null=True)
    notes = Text(default=None, null=True)
    brand = Text(default=None, null=True)
    till = Text(default=None, null=True)
    created_at = Timestamptz(default=None)
    data_scope = Text(default=None)
    group_redemption = Boolean(default=None)
    organization_details = JSONB(default=None, null=True)


class Notification(Table, tablename="notifications", db=STATEMENT_WRITER):
    """A message to a member about a grant."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    member_id = UUID(default=None)
    grant_id = UUID(default=None)
    text = Text(default=None)
    created_at = Timestamptz(default=None)
    read_at = Timestamptz(default=None, null=True)


class Campaign(Table, tablename="campaigns", db=STATEMENT_WRITER):
    """What an organization gives for which events; its triggers, tiers and limits are the definition."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    status = Text(default=None)
    event_types = Text(default=None)
    definition = JSONB(default=None)
    tier_mode = Text(default=None)
    time_zone = Text(default=None)
    budget_asset_id = UUID(default=None, null=True)
    starts_at = Timestamptz(default=None, null=True)
    ends_at = Timestamptz(default=None, null=True)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class CampaignCounter(Table, tablename="campaign_counters", db=STATEMENT_WRITER):
    """How often a limit was used in one of its windows; the row that concurrent events wait for."""

    tenant_id = UUID(default=None)
    campaign_id = UUID(default=None)
    limit_place = Integer(default=None)
    subject_id = UUID(default=None)
    window_start = Date(default=None, primary_key=True)
    used = Integer(default=None)


class CampaignUse(Table, tablename="campaign_uses", db=STATEMENT_WRITER):
    """When a limit over a rolling window was used."""

    tenant_id = UUID(default=None)
    campaign_id = UUID(default=None)
    limit_place = Integer(default=None)
    subject_id = UUID(default=None)
    occurred_at = Timestamptz(default=None)
    operation_id = UUID(default=None, primary_key=True)


class Vendor(Table, tablename="vendors", db=STATEMENT_WRITER):
    """Who sells vouchers over HTTP, how it is asked and how its answers are read. Its secret is sealed."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    endpoint = Text(default=None)
    response_mapping = JSONB(default=None)
    secret_header_name = Text(default=None, null=True)
    secret_header_sealed = Bytea(default=None, null=True)
    timeout_seconds = Integer(default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
    request_template_sealed = Bytea(default=None)
    sends_quantity = Boolean(default=None)


class VendorOrder(Table, tablename="vendor_orders", db=STATEMENT_WRITER):
    """What a pending grant buys from a vendor: the request as first made, who is asking now, and when to ask next."""

    tenant_id = UUID(default=None)
    grant_id = UUID(default=None, primary_key=True)
    vendor_id = UUID(default=None)
    operation_id = UUID(default=None)
    transaction_kind = Text(default=None)
    endpoint = Text(default=None)
    request_values = JSONB(default=None)
    payments = JSONB(default=None)
    status = Text(default=None)
    attempt_count = Integer(default=None)
    is_uncertain = Boolean(default=None)
    lease_id = UUID(default=None, null=True)
    due_at = Timestamptz(default=None)
    last_problem = Text(default=None, null=True)
    created_at = Timestamptz(default=None)
    settled_at = Timestamptz(default=None, null=True)
    credential_id = UUID(default=None, null=True)
    request_template_sealed = Bytea(default=None)


class Group(Table, tablename="groups", db=STATEMENT_WRITER):
    """Members who pay together; its account is of owner kind GROUP."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    name = Text(default=None, null=True)
    external_id = Text(default=None, null=True)
    primary_member_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    organization_id = UUID(default=None)


class GroupMember(Table, tablename="group_members", db=STATEMENT_WRITER):
    """A member of a group."""

    tenant_id = UUID(default=None)
    group_id = UUID(default=None)
    member_id = UUID(default=None, primary_key=True)
    created_at = Timestamptz(default=None)


class Segment(Table, tablename="segments", db=STATEMENT_WRITER):
    """A set of members that rewards can be reserved for."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    created_at = Timestamptz(default=None)


class SegmentMember(Table, tablename="segment_members", db=STATEMENT_WRITER):
    """A member of a segment."""

    tenant_id = UUID(default=None)
    segment_id = UUID(default=None)
    member_id = UUID(default=None, primary_key=True)
    created_at = Timestamptz(default=None)


class RewardSegment(Table, tablename="reward_segments", db=STATEMENT_WRITER):
    """A segment that a reward is reserved for; a reward without any is for everybody."""

    tenant_id = UUID(default=None)
    reward_id = UUID(default=None)
    segment_id = UUID(default=None, primary_key=True)


class MemberCard(Table, tablename="member_cards", db=STATEMENT_WRITER):
    """A card of a member; its number is unique in the tenant."""

    tenant_id = UUID(default=None)
    number = Text(default=None, primary_key=True)
    member_id = UUID(default=None)
    status = Text(default=None)
    created_at = Timestamptz(default=None)


class MemberLabel(Table, tablename="member_labels", db=STATEMENT_WRITER):
    """A label of a member."""

    tenant_id = UUID(default=None)
    member_id = UUID(default=None)
    name = Text(default=None, primary_key=True)
    status = Text(default=None)
    created_at = Timestamptz(default=None)


class CustomField(Table, tablename="custom_fields", db=STATEMENT_WRITER):
    """What an organization's issued items may carry; `choices` is `text[]` in the database."""

    tenant_id = UUID(default=None)
    organization_id = UUID(default=None)
    name = Text(default=None, primary_key=True)
    kind = Text(default=None)
    is_required = Boolean(default=None)
    choices = Text(default=None)
    created_at = Timestamptz(default=None)


class FulfillmentStage(Table, tablename="fulfillment_stages", db=STATEMENT_WRITER):
    """One of an organization's stages of fulfillment, in order of position."""

    tenant_id = UUID(default=None)
    organization_id = UUID(default=None)
    name = Text(default=None, primary_key=True)
    position = Integer(default=None)
    created_at = Timestamptz(default=None)


class Fulfillment(Table, tablename="fulfillments", db=STATEMENT_WRITER):
    """The stage that a grant is at."""

    tenant_id = UUID(default=None)
    grant_id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    stage = Text(default=None)
    step_count = Integer(default=None)
    updated_at = Timestamptz(default=None)


class FulfillmentStep(Table, tablename="fulfillment_steps", db=STATEMENT_WRITER):
    """A stage that a grant came to. Append-only."""

    tenant_id = UUID(default=None)
    grant_id = UUID(default=None)
    step = Integer(default=None, primary_key=True)
    stage = Text(default=None)
    note = Text(default=None, null=True)
    operation_id = UUID(default=None)
    occurred_at = Timestamptz(default=None)


class Till(Table, tablename="tills", db=STATEMENT_WRITER):
    """A till that must send validation codes."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    name = Text(default=None)
    created_at = Timestamptz(default=None)
    # What its name is compared by.
    name_key = Text(default=None)


class ValidationCode(Table, tablename="validation_codes", db=STATEMENT_WRITER):
    """A member's one-time code for a till: only its hash is kept."""

    tenant_id = UUID(default=None)
    code_hash = Bytea(default=None, primary_key=True)
    till_id = UUID(default=None)
    member_id = UUID(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(default=None, null=True)
    operation_id = UUID(default=None, null=True)


class CashReference(Table, tablename="cash_references", db=STATEMENT_WRITER):
    """A payment in cash that a partner has used, by its own reference, and for which issuance."""

    tenant_id = UUID(default=None)
    partner_id = UUID(default=None)
    reference = Text(default=None, primary_key=True)
    operation_id = UUID(default=None)
    created_at = Timestamptz(default=None)


class Reservation(Table, tablename="reservations", db=STATEMENT_WRITER):
    """Whose hold a partner placed, why, and what it took of it; its id is the hold's."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    member_id = UUID(default=None)
    reason = Text(default=None, null=True)
    captured_minor = BigInt(default=None, null=True)
    transaction_id = UUID(default=None, null=True)


class Lot(Table, tablename="lots", db=STATEMENT_WRITER):
    """A credit of an asset that expires, and what is left of it; named by the entry that credited it."""

    tenant_id = UUID(default=None)
    account_id = UUID(default=None)
    sequence = BigInt(default=None, primary_key=True)
    amount_minor = BigInt(default=None)
    remaining_minor = BigInt(default=None)
    expires_at = Timestamptz(default=None)


class Issuer(Table, tablename="issuers", db=STATEMENT_WRITER):
    """Who signs tokens of an organization's members; one that was removed stays, because operations name it."""

    tenant_id = UUID(default=None)
    id = UUID(default=None, primary_key=True)
    organization_id = UUID(default=None)
    url = Text(default=None)
    audience = Text(default=None)
    jwks_url = Text(default=None)
    # The claim that holds the member's external id.
    member_claim = Text(default=None)
    created_at = Timestamptz(default=None)
    removed_at = Timestamptz(default=None, null=True)


class ChainBlock(Table, tablename="chain_blocks", db=STATEMENT_WRITER):
    """Facts of one tenant, in the order in which they were written, hashed and chained to the block before. Append-only."""

    tenant_id = UUID(default=None)
    number = BigInt(default=None, primary_key=True)
    form = SmallInt(default=None)
    previous = Bytea(default=None)
    operations_until = BigInt(default=None)
    operations_until_id = UUID(default=None)
    transactions_until = BigInt(default=None)
    transactions_until_id = UUID(default=None)
    grants_until = BigInt(default=None)
    grants_until_id = UUID(default=None)
    fact_count = Integer(default=None)
    root = Bytea(default=None)
    made_at = Timestamptz(default=None)
    key_id = Text(default=None)
    tag = Bytea(default=None)
    signature = Bytea(default=None)
    fact_kinds = Bytea(default=None)
    fact_ids = Bytea(default=None)
    fact_hashes = Bytea(default=None)


class ChainLease(Table, tablename="chain_leases", db=STATEMENT_WRITER):
    """Which process makes a tenant's blocks, and until when."""

    tenant_id = UUID(default=None, primary_key=True)
    holder_id = UUID(default=None)
    leased_until = Timestamptz(default=None)
