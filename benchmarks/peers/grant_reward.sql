-- One grant with all that makes it durable: idempotency key, two entries, balance, grant row, outbox event. A repeat returns the
-- first grant; other input under a used key is an error.
CREATE FUNCTION grant_reward(
    tenant uuid, partner uuid, organization uuid, cash_asset uuid,
    reference text, external_id text, amount_minor bigint, action_code text
) RETURNS grants LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := now();
    grant_id uuid := uuidv7();
    transaction_id uuid := uuidv7();
    asked jsonb := jsonb_build_object('member', grant_reward.external_id, 'amount', grant_reward.amount_minor);
    holder uuid;
    balance bigint;
    first_answer jsonb;
    granted grants;
BEGIN
    SELECT member_id INTO holder FROM member_identifiers
    WHERE tenant_id = tenant AND kind = 'EXTERNAL_ID' AND value = grant_reward.external_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'P0002';
    END IF;

    INSERT INTO operations (tenant_id, partner_id, kind, key, fields, answer, created_at)
    VALUES (tenant, partner, 'GRANT_REWARD', reference, asked, jsonb_build_object('grantId', grant_id), at)
    ON CONFLICT (tenant_id, partner_id, kind, key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT answer INTO first_answer FROM operations
        WHERE tenant_id = tenant AND partner_id = partner AND kind = 'GRANT_REWARD' AND key = reference AND fields = asked;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'reference used for another grant' USING ERRCODE = '23505';
        END IF;
        SELECT * INTO granted FROM grants WHERE tenant_id = tenant AND id = (first_answer ->> 'grantId')::uuid;
        RETURN granted;
    END IF;

    INSERT INTO accounts AS known (tenant_id, owner_id, asset_id, owner_kind, posted_minor, entry_count, updated_at)
    VALUES (tenant, holder, cash_asset, 'CLAIMABLE', grant_reward.amount_minor, 1, at)
    ON CONFLICT (tenant_id, owner_id, asset_id, owner_kind) DO UPDATE SET
        posted_minor = known.posted_minor + excluded.posted_minor, entry_count = known.entry_count + 1, updated_at = at
    RETURNING posted_minor INTO balance;

    INSERT INTO entries (tenant_id, transaction_id, index, owner_kind, owner_id, asset_id, amount_minor,
        balance_after_minor, grant_id, occurred_at)
    VALUES (tenant, transaction_id, 0, 'ISSUANCE', organization, cash_asset, -grant_reward.amount_minor, NULL, grant_id, at),
        (tenant, transaction_id, 1, 'CLAIMABLE', holder, cash_asset, grant_reward.amount_minor, balance, grant_id, at);

    INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
    VALUES (tenant, transaction_id, 'GRANT', jsonb_build_object('grantId', grant_id, 'memberId', holder), at);

    INSERT INTO grants (tenant_id, id, member_id, kind, status, source, asset_id, amount_minor, action_code,
        client_reference, metadata, transaction_id, rewarded_at)
    VALUES (tenant, grant_id, holder, 'CUSTOM', 'CONFIRMED', 'PARTNER_ACTION', cash_asset, grant_reward.amount_minor,
        grant_reward.action_code, reference, '{}', transaction_id, at)
    RETURNING * INTO granted;
    RETURN granted;
END $$;
