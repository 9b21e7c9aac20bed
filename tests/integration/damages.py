"""Ways to corrupt the ledger behind the application's back, and which checks must say so. Placeholders are filled in by the test."""

from __future__ import annotations

from typing import NamedTuple

NEW_HOLD = """
INSERT INTO holds (tenant_id, id, account_id, operation_id, amount_minor, status, created_at, ended_at)
SELECT '{tenant}', gen_random_uuid(), id, (SELECT id FROM operations WHERE key = 'd-1'), {amount}, {status}, now(), {ended}
FROM accounts WHERE owner_id = '{ada}' AND asset_id = '{points_id}' AND owner_kind = 'MEMBER';
"""
NEW_TRANSACTION = """
INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, occurred_at, credential_id)
SELECT tenant_id, '{nothing}', kind, operation_id, now(), credential_id FROM ledger_transactions WHERE {like} LIMIT 1;
INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
SELECT tenant_id, id, kind, '{{}}', now() FROM ledger_transactions WHERE id = '{nothing}';
"""
STRAY_ACCOUNTS = """
INSERT INTO accounts (tenant_id, id, asset_id, owner_kind, owner_id, posted_minor, held_minor, entry_count, chain_hash, updated_at)
SELECT '{tenant}', gen_random_uuid(), '{points_id}', 'MEMBER', '{ada}', 0, 0, 0, decode(repeat('00', 32), 'hex'), now()
FROM generate_series(1, {count});
"""
HELD_999 = """
ALTER TABLE accounts DROP CONSTRAINT accounts_never_below_zero;
UPDATE accounts SET held_minor = 999 WHERE id = '{adas_points}';
"""
# The last entry of an account, dated before the one that it follows; its hash and the account's head follow.
DATED_BACK = """
WITH dated AS (
    SELECT last.*, before.chain_hash AS hash_before, before.occurred_at - interval '1 second' AS at
    FROM accounts JOIN ledger_entries AS last ON last.account_id = accounts.id AND last.sequence = entry_count
    JOIN ledger_entries AS before ON before.account_id = accounts.id AND before.sequence = entry_count - 1
    WHERE accounts.id = '{adas_points}'
)
UPDATE ledger_entries SET occurred_at = at, chain_hash = sha256(hash_before || uuid_send(dated.transaction_id)
    || uuid_send(dated.account_id) || uuid_send(dated.asset_id) || coalesce(uuid_send(dated.grant_id), decode(repeat('00', 16), 'hex'))
    || int4send(dated.index) || int8send(dated.amount_minor) || int8send(dated.sequence)
    || int8send(dated.balance_after_minor) || float8send(extract(epoch FROM at)::float8))
FROM dated WHERE ledger_entries.account_id = dated.account_id AND ledger_entries.sequence = dated.sequence;
UPDATE accounts SET chain_hash = ledger_entries.chain_hash FROM ledger_entries
WHERE accounts.id = '{adas_points}' AND account_id = accounts.id AND sequence = entry_count
"""
NOTHING = "ffffffff-ffff-ffff-ffff-ffffffffffff"


class Damage(NamedTuple):
    """Statements, the checks that must report them and no other, and text that a reported row must hold."""

    statements: str
    checks: str
    shows: str


def hold(amount: int, status: str, ended: str = "NULL") -> str:
    return (
        NEW_HOLD.replace("{amount}", str(amount))
        .replace("{status}", status)
        .replace("{ended}", ended)
    )


DAMAGES = {
    "two issuance entries changed, in balance": Damage(
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE grant_id = '{points}' AND sequence IS NULL;"
        "UPDATE ledger_entries SET amount_minor = amount_minor - 1 WHERE grant_id = '{mug}' AND asset_id = '{points_id}' AND sequence IS NULL",
        "transactions_sum_to_zero",
        '"sum_minor":"-1"',
    ),
    "an issuance entry changed": Damage(
        "UPDATE ledger_entries SET amount_minor = amount_minor + 1 WHERE grant_id = '{points}' AND sequence IS NULL",
        "transactions_sum_to_zero assets_sum_to_zero",
        '"sum_minor":"1"',
    ),
    "a balance raised": Damage(
        "UPDATE accounts SET posted_minor = posted_minor + 100 WHERE owner_id = '{grace}' AND asset_id = '{points_id}'",
        "posted_is_sum_of_entries",
        '"posted_minor":130,"entries_minor":"30"',
    ),
    "a held balance without a hold": Damage(
        "UPDATE accounts SET held_minor = 1 WHERE owner_id = '{grace}' AND asset_id = '{points_id}'",
        "held_is_sum_of_open_holds",
        '"held_minor":1,"open_minor":"0"',
    ),
    "a hold that nothing holds back": Damage(
        hold(5, "'OPEN'"), "held_is_sum_of_open_holds", '"held_minor":0,"open_minor":"5"'
    ),
    "more held than posted": Damage(
        "".join((hold(999, "'OPEN'"), HELD_999)),
        "available_not_below_zero",
        '"held_minor":999',
    ),
    "a debt that nobody has": Damage(
        "UPDATE accounts SET debt_minor = 5 WHERE owner_id = '{grace}' AND asset_id = '{points_id}'",
        "available_not_below_zero",
        '"debt_minor":5',
    ),
    "a hold that ended before it began": Damage(
        hold(5, "'CAPTURED'", "now() - interval '1 second'"),
        "holds_end_once",
        '"status":"CAPTURED"',
    ),
    "a capture of more than it says": Damage(
        "UPDATE reservations SET captured_minor = 2",
        "captures_match_holds",
        "is CAPTURED, took 2 of 2 and posted 1",
    ),
    "a capture that took from nobody": Damage(
        "UPDATE reservations SET captured_minor = NULL, transaction_id = NULL",
        "captures_match_holds",
        "took what 0 holds reserved",
    ),
    "a lot of what does not expire": Damage(
        "INSERT INTO lots (tenant_id, account_id, sequence, amount_minor, remaining_minor, expires_at) "
        "VALUES ('{tenant}', '{adas_points}', 1, 5, 5, now())",
        "lots_match_balances",
        '"in_lots_minor":"5"',
    ),
    "a lot of nothing": Damage(
        "INSERT INTO lots (tenant_id, account_id, sequence, amount_minor, remaining_minor, expires_at) "
        "VALUES ('{tenant}', '{adas_points}', 99, 5, 0, now())",
        "lots_match_balances",
        "a lot is more than its entry credited",
    ),
    "an account with another lifetime": Damage(
        "UPDATE assets SET expires_after_days = 9 WHERE id = '{points_id}'",
        "lots_match_balances",
        "the lifetime is not that of its asset",
    ),
    "an expired grant that is still owed": Damage(
        "UPDATE grants SET status = 'EXPIRED' WHERE id = '{owed}'",
        "expired_is_not_owed",
        '"owed_minor":"500"',
    ),
    "a hold of unknown end": Damage(
        hold(5, "'LOST'", "now()"), "holds_end_once", '"status":"LOST"'
    ),
    "an event lost": Damage(
        "DELETE FROM outbox_events WHERE transaction_id = (SELECT transaction_id FROM grants WHERE id = '{mug}')",
        "one_event_per_transaction",
        '"transaction_kind":"ISSUANCE","event_kind":null',
    ),
    "an event of nothing": Damage(
        "UPDATE outbox_events SET transaction_id = '{nothing}' WHERE kind = 'CLAIM'",
        "one_event_per_transaction",
        '"transaction_kind":null,"event_kind":"CLAIM"',
    ),
    "an event of another kind": Damage(
        "UPDATE outbox_events SET kind = 'STOCK' WHERE kind = 'CLAIM'",
        "one_event_per_transaction",
        '"event_kind":"STOCK"',
    ),
    "an answer lost": Damage(
        "UPDATE operations SET answer = NULL WHERE key = 'c-1'",
        "keys_executed_once",
        "has no answer",
    ),
    "two keys with one execution": Damage(
        "UPDATE operations SET id = '{nothing}' WHERE kind IN ('CREATE_COMPETITION', 'CREATE_CODE_POOL')",
        "keys_executed_once",
        "is the id of several keys",
    ),
    "a line granted twice": Damage(
        "UPDATE grants SET line_index = 0 WHERE source = 'DISTRIBUTION' AND line_index = 1",
        "keys_executed_once",
        "granted line 0 more than once",
    ),
    "a key that posted twice": Damage(
        NEW_TRANSACTION.replace("{like}", "kind = 'STOCK'"),
        "keys_executed_once",
        "posted more than one transaction of kind STOCK",
    ),
    "an answer that names another grant": Damage(
        "UPDATE operations SET answer = jsonb_set(answer, '{{grant_id}}', '\"{nothing}\"') WHERE key = 'g-1'",
        "answers_are_true",
        "is not in the answer of its operation",
    ),
    "a distribution's answer without a line's grant": Damage(
        "UPDATE operations SET answer = jsonb_set(answer, '{{lines,2}}', '\"{nothing}\"') WHERE key = 'd-1'",
        "answers_are_true",
        "names a grant that is not there",
    ),
    "an issuance's answer without an item's grant": Damage(
        "UPDATE operations SET answer = answer #- '{{items,0}}' WHERE key = 'i-1'",
        "answers_are_true",
        "{mug}",
    ),
    "a given code free again": Damage(
        "UPDATE codes SET status = 'FREE', grant_id = NULL WHERE grant_id = '{coupon}'",
        "codes_match_grants",
        '"code_status":null',
    ),
    "a voided code whose grant stands": Damage(
        "UPDATE codes SET status = 'VOIDED' WHERE grant_id = '{coupon}'",
        "codes_match_grants",
        '"code_status":"VOIDED"',
    ),
    "another code in the grant": Damage(
        "UPDATE grants SET benefits = jsonb_set(benefits, '{{0,code_id}}', '\"forged\"') WHERE id = '{coupon}'",
        "codes_match_grants",
        '"code_id_in_grant":"forged"',
    ),
    "a code given to a grant of something else": Damage(
        "UPDATE codes SET status = 'GRANTED', grant_id = '{points}' WHERE status = 'FREE'",
        "codes_match_grants",
        '"grant_kind":null',
    ),
    "a code lost": Damage(
        "DELETE FROM codes WHERE status = 'FREE'", "pools_add_up", '"free":0,"granted":1'
    ),
    "a holder forgotten": Damage(
        "DELETE FROM coupon_assignments", "one_coupon_per_member", '"assigned_grant_id":null'
    ),
    "a holder of another's coupon": Damage(
        "UPDATE coupon_assignments SET member_id = '{grace}'",
        "one_coupon_per_member",
        '"standing_grant_id":null',
    ),
    "a payment that was another": Damage(
        "UPDATE grants SET details = jsonb_set(details, '{{payment,amount_minor}}', '6') WHERE id = '{mug}'",
        "payments_match_issuances",
        '"asked_minor":6,"captured_minor":"7"',
    ),
    "a reward that says it was free": Damage(
        "UPDATE grants SET details = details - 'payment' WHERE id = '{mug}'",
        "payments_match_issuances",
        '"asked_minor":null,"captured_minor":"7"',
    ),
    "a reward without payment": Damage(
        "UPDATE grants SET details = jsonb_set(details, '{{payment,asset_id}}', '\"{nothing}\"') WHERE id = '{mug}'",
        "payments_match_issuances",
        '"asked_minor":7,"captured_minor":null',
    ),
    "a benefit that was another": Damage(
        "UPDATE grants SET benefits = jsonb_set(benefits, '{{0,amount_minor}}', '11') WHERE id = '{points}'",
        "benefits_match_entries",
        '"promised_minor":"11","posted_minor":"10"',
    ),
    "a benefit forgotten": Damage(
        "UPDATE grants SET benefits = '[]' WHERE id = '{entered}'",
        "benefits_match_entries",
        '"promised_minor":null,"posted_minor":"3"',
    ),
    "a grant that names more entries": Damage(
        "UPDATE grants SET entry_to = entry_to + 1 WHERE id = '{owed}'",
        "entries_belong_to_grants",
        "has 2 entries where it names 3",
    ),
    "an entry of another's grant": Damage(
        "UPDATE ledger_entries SET grant_id = '{entered}' WHERE grant_id = '{points}' AND sequence IS NULL",
        "entries_belong_to_grants",
        "is in a transaction that is not of its grant",
    ),
    "a transaction without a grant": Damage(
        NEW_TRANSACTION.replace("{like}", "kind = 'ISSUANCE'"),
        "entries_belong_to_grants",
        "a transaction of kind ISSUANCE without its grant",
    ),
    "a claim forgotten": Damage(
        "UPDATE grants SET status = 'CONFIRMED' WHERE id = '{claimed}'",
        "claims_happen_once",
        "has status CONFIRMED",
    ),
    "a claim that nothing was credited for": Damage(
        "UPDATE grants SET status = 'CLAIMED', claimed_at = now(), claim_transaction_id = '{nothing}' WHERE id = '{owed}'",
        "claims_happen_once references_stay_in_tenant",
        "owed 500 and credited nothing",
    ),
    "a claim transaction of no grant": Damage(
        NEW_TRANSACTION.replace("{like}", "kind = 'CLAIM'"),
        "claims_happen_once",
        "named by 0 grants",
    ),
    "a transaction of another credential": Damage(
        "UPDATE ledger_transactions SET credential_id = gen_random_uuid() WHERE kind = 'CLAIM'",
        "keys_executed_once",
        "in the name of another credential",
    ),
    "a reversal forgotten": Damage(
        "UPDATE grants SET status = 'CLAIMED', reversed_at = NULL WHERE id = '{reversed}'",
        "reversals_never_exceed",
        "has status CLAIMED",
    ),
    "a reversal of something else": Damage(
        "UPDATE ledger_transactions SET reverses_id = id WHERE kind = 'REVERSAL'",
        "reversals_never_exceed",
        "takes back 0 grants",
    ),
    "a reversal of another transaction": Damage(
        "UPDATE grants SET reversal_transaction_id = (SELECT id FROM ledger_transactions WHERE kind = 'REVERSAL') "
        "WHERE id = '{points}'",
        "reversals_never_exceed",
        "has status CLAIMED",
    ),
    "a reversal that left something": Damage(
        "UPDATE ledger_entries SET grant_id = '{points}' WHERE grant_id = '{reversed}' AND sequence IS NULL AND amount_minor > 0",
        "reversals_never_exceed entries_belong_to_grants",
        "leaves -10 on the account",
    ),
    "a notification of another member": Damage(
        "UPDATE notifications SET member_id = '{grace}' WHERE member_id = '{ada}'",
        "references_agree",
        "is about another member's grant",
    ),
    "a grant of a reward of another organization": Damage(
        "UPDATE rewards SET organization_id = (SELECT id FROM organizations WHERE name = 'Acme Bergen')"
        " WHERE id = '{entry_reward}'",
        "references_agree",
        "is of a reward of another organization",
    ),
    "a grant of another reward's version": Damage(
        "UPDATE grants SET reward_version_id = (SELECT version_id FROM rewards WHERE id = '{entry_reward}') WHERE id = '{points}'",
        "references_agree",
        "is of a version of another reward",
    ),
    "an account of another asset": Damage(
        "UPDATE accounts SET asset_id = '{experience_id}' WHERE owner_id = '{grace}' AND asset_id = '{points_id}'",
        "references_agree accounts_named_by_owner",
        "has another asset than its account",
    ),
    "a second account of one owner": Damage(
        STRAY_ACCOUNTS.replace("{count}", "1"), "accounts_named_by_owner", "{ada}"
    ),
    "an account that must not be kept": Damage(
        STRAY_ACCOUNTS.replace("{count}", "1").replace("'MEMBER'", "'ISSUANCE'"),
        "accounts_named_by_owner",
        "ISSUANCE",
    ),
    "an account of an unknown kind": Damage(
        STRAY_ACCOUNTS.replace("{count}", "1").replace("'MEMBER'", "'PIRATE'"),
        "accounts_named_by_owner",
        "PIRATE",
    ),
    "an entry on an account of nobody": Damage(
        "UPDATE ledger_entries SET account_id = '{nothing}' WHERE grant_id = '{points}' AND sequence IS NULL",
        "system_accounts_known",
        NOTHING,
    ),
    "an edited entry": Damage(
        "UPDATE ledger_entries SET occurred_at = occurred_at + interval '1 microsecond' WHERE account_id = '{adas_points}' AND sequence = 2",
        "chains_verify",
        "the hash of entry 2 does not follow",
    ),
    "entries reordered": Damage(
        "UPDATE ledger_entries SET sequence = -sequence WHERE account_id = '{adas_points}' AND sequence IN (1, 2);"
        "UPDATE ledger_entries SET sequence = 3 + sequence WHERE account_id = '{adas_points}' AND sequence < 0",
        "chains_verify",
        "the balance after entry 1 does not follow",
    ),
    "an entry deleted": Damage(
        "DELETE FROM ledger_entries WHERE account_id = '{adas_points}' AND sequence = 2",
        "chains_verify posted_is_sum_of_entries transactions_sum_to_zero assets_sum_to_zero entries_belong_to_grants"
        " benefits_match_entries",
        "entry 2 is missing",
    ),
    "entries cut off, the balance with them": Damage(
        "DELETE FROM ledger_entries WHERE account_id = '{adas_points}' AND sequence = 6;"
        "UPDATE accounts SET posted_minor = posted_minor + 1 WHERE owner_id = '{ada}' AND asset_id = '{points_id}'",
        "chains_verify transactions_sum_to_zero assets_sum_to_zero captures_match_holds",
        "the account counts 6 entries and 5 are there",
    ),
    "an entry dated before the one that it follows": Damage(
        DATED_BACK, "chains_verify", "entry 6 is dated before the entry that it follows"
    ),
    "another head": Damage(
        "UPDATE accounts SET chain_hash = decode(repeat('00', 32), 'hex') WHERE owner_id = '{ada}' AND asset_id = '{points_id}'",
        "chains_verify",
        "the account keeps another head than its last entry",
    ),
    "another count": Damage(
        "UPDATE accounts SET entry_count = entry_count + 1 WHERE owner_id = '{ada}' AND asset_id = '{points_id}'",
        "chains_verify",
        "the account counts 7 entries and 6 are there",
    ),
    "a step of fulfillment lost": Damage(
        "DELETE FROM fulfillment_steps WHERE grant_id = '{depending}' AND step = 2",
        "stages_follow_steps",
        '"step_count":2,"found_count":1',
    ),
    "a stage that no step led to": Damage(
        "UPDATE fulfillments SET stage = 'LOST' WHERE grant_id = '{depending}'",
        "stages_follow_steps",
        '"last_stage":"DELIVERED"',
    ),
    "a fulfillment in another organization": Damage(
        "UPDATE fulfillments SET organization_id = (SELECT id FROM organizations WHERE name = 'Acme Bergen')"
        " WHERE grant_id = '{depending}'",
        "references_agree",
        "is of a grant of another organization",
    ),
    "a reward reserved for another organization's segment": Damage(
        "UPDATE segments SET organization_id = (SELECT id FROM organizations WHERE name = 'Acme Bergen')",
        "references_agree",
        "is reserved for a segment of another organization",
    ),
    "a grant that names another group than paid": Damage(
        "UPDATE grants SET details = details - 'group_id' WHERE id = '{depending}'",
        "references_agree",
        "is paid by another group than it names",
    ),
    "a group's payment raised": Damage(
        "UPDATE grants SET details = jsonb_set(details, '{{payment,amount_minor}}', '9') WHERE id = '{depending}'",
        "payments_match_issuances",
        '"asked_minor":9,"captured_minor":"2"',
    ),
    "a vendor's voucher lost": Damage(
        "UPDATE grants SET benefits = '[]' WHERE kind = 'VENDOR_VOUCHER' AND status = 'CLAIMED'",
        "vendor_orders_match_grants",
        '"order_status":"ISSUED"',
    ),
    "a vendor's order that nobody remembers": Damage(
        "DELETE FROM vendor_orders WHERE status = 'DECLINED'; DELETE FROM holds WHERE status = 'RELEASED'",
        "vendor_orders_match_grants",
        '"grant_status":"DECLINED"',
    ),
    "points given back for a voucher that was issued": Damage(
        "UPDATE holds SET status = 'RELEASED' WHERE status = 'CAPTURED' AND expires_at IS NULL",
        "vendor_orders_match_holds",
        '"status":"CAPTURED","asked_minor":"3"',
    ),
}
