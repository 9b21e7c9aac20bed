"""Every check, in the order of the invariants that docs/ledger.md numbers."""

from __future__ import annotations

from gateway.verifying.account_store import find_misnamed_accounts, find_unknown_system_accounts
from gateway.verifying.chain_store import find_broken_chains
from gateway.verifying.coupon_store import COUPON_CHECKS
from gateway.verifying.fulfillment_store import FULFILLMENT_CHECKS
from gateway.verifying.grant_store import GRANT_CHECKS
from gateway.verifying.hold_store import HOLD_CHECKS
from gateway.verifying.ledger_store import LEDGER_CHECKS
from gateway.verifying.lot_store import LOT_CHECKS
from gateway.verifying.model import Check
from gateway.verifying.operation_store import OPERATION_CHECKS
from gateway.verifying.reference_store import REFERENCE_CHECKS
from gateway.verifying.vendor_store import VENDOR_CHECKS

CHECKS = (
    *LEDGER_CHECKS,
    *OPERATION_CHECKS,
    *COUPON_CHECKS,
    *GRANT_CHECKS,
    *FULFILLMENT_CHECKS,
    *VENDOR_CHECKS,
    *HOLD_CHECKS,
    *LOT_CHECKS,
    *REFERENCE_CHECKS,
    Check(
        "accounts_named_by_owner",
        "every account's id follows from its asset and owner, so that an owner has one account of an asset",
        find_misnamed_accounts,
    ),
    Check(
        "system_accounts_known",
        "every entry outside the kept balances is on the issuance or redemption of an organization of its tenant, or on the tenant's expiry",
        find_unknown_system_accounts,
    ),
    Check(
        "chains_verify",
        "the hash chain of each account's entries is unbroken from its first entry to the head that the account keeps, and time never runs backwards along it",
        find_broken_chains,
    ),
)
