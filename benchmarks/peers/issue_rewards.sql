-- Several rewards of the catalog for a member who pays for them with points: one price for all, checked once on a locked
-- balance, and a transaction with its entries and event for each reward. Answers the items as JSON; a repeat the first answer.
CREATE FUNCTION issue_rewards(
    tenant uuid, partner uuid, organization uuid, request_id text, external_id text, reward_ids uuid[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    at timestamptz := now();
    asked jsonb := jsonb_build_object('member', issue_rewards.external_id, 'rewards', reward_ids);
    holder uuid;
    points uuid;
    price bigint;
    available bigint;
    items jsonb;
BEGIN
    SELECT member_id INTO holder FROM member_identifiers
    WHERE tenant_id = tenant AND kind = 'EXTERNAL_ID' AND value = issue_rewards.external_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no such member' USING ERRCODE = 'P0002';
    END IF;

    INSERT INTO operations (tenant_id, partner_id, kind, key, fields, answer, created_at)
    VALUES (tenant, partner, 'ISSUE_REWARDS', request_id, asked, '[]', at)
    ON CONFLICT (tenant_id, partner_id, kind, key) DO NOTHING;
    IF NOT FOUND THEN
        SELECT answer INTO items FROM operations WHERE tenant_id = tenant AND partner_id = partner
            AND kind = 'ISSUE_REWARDS' AND key = request_id AND fields = asked;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'request id used for another issuance' USING ERRCODE = '23505';
        END IF;
        RETURN items;
    END IF;

    SELECT min(price_asset_id::text)::uuid, sum(price_minor) INTO points, price
    FROM unnest(reward_ids) AS wanted (id) JOIN rewards ON rewards.tenant_id = tenant AND rewards.id = wanted.id;
    SELECT posted_minor - held_minor INTO available FROM accounts
    WHERE tenant_id = tenant AND owner_id = holder AND asset_id = points AND owner_kind = 'MEMBER' FOR NO KEY UPDATE;
    IF available IS NULL OR available < price THEN
        RAISE EXCEPTION 'balance too low' USING ERRCODE = '22003';
    END IF;

    WITH item AS MATERIALIZED (
        SELECT rewards.*, wanted.position, uuidv7() AS grant_id, uuidv7() AS transaction_id,
            sum(price_minor) OVER (ORDER BY wanted.position) AS paid_minor
        FROM unnest(reward_ids) WITH ORDINALITY AS wanted (id, position)
        JOIN rewards ON rewards.tenant_id = tenant AND rewards.id = wanted.id
        WHERE rewards.status = 'ACTIVE'
    ), paid AS (
        UPDATE accounts SET posted_minor = posted_minor - spent.amount_minor,
            entry_count = entry_count + spent.entries, updated_at = at
        FROM (SELECT sum(price_minor) AS amount_minor, count(*) AS entries FROM item) AS spent
        WHERE tenant_id = tenant AND owner_id = holder AND asset_id = points AND owner_kind = 'MEMBER'
    ), credited AS (
        INSERT INTO accounts AS known (tenant_id, owner_id, asset_id, owner_kind, posted_minor, entry_count, updated_at)
        SELECT tenant, holder, asset_id, 'MEMBER', sum(amount_minor), count(*), at FROM item
        WHERE asset_id IS NOT NULL GROUP BY asset_id ORDER BY asset_id
        ON CONFLICT (tenant_id, owner_id, asset_id, owner_kind) DO UPDATE SET
            posted_minor = known.posted_minor + excluded.posted_minor,
            entry_count = known.entry_count + excluded.entry_count, updated_at = at
        RETURNING asset_id, posted_minor
    ), entered AS (
        INSERT INTO entries (tenant_id, transaction_id, index, owner_kind, owner_id, asset_id, amount_minor,
            balance_after_minor, grant_id, occurred_at)
        SELECT tenant, transaction_id, side.index, side.owner_kind, side.owner_id, side.asset_id, side.amount_minor,
            side.balance, grant_id, at
        FROM item LEFT JOIN credited ON credited.asset_id = item.asset_id CROSS JOIN LATERAL (VALUES
            (0, 'MEMBER', holder, points, -price_minor, available - paid_minor),
            (1, 'REDEMPTION', organization, points, price_minor, NULL),
            (2, 'ISSUANCE', organization, item.asset_id, -item.amount_minor, NULL),
            (3, 'MEMBER', holder, item.asset_id, item.amount_minor, credited.posted_minor)
        ) AS side (index, owner_kind, owner_id, asset_id, amount_minor, balance)
        WHERE side.asset_id IS NOT NULL
    ), announced AS (
        INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
        SELECT tenant, transaction_id, 'ISSUANCE', jsonb_build_object('grantId', grant_id, 'memberId', holder), at FROM item
    ), granted AS (
        INSERT INTO grants (tenant_id, id, member_id, kind, status, source, reward_id, reward_name, asset_id, amount_minor,
            coupon_code, price_minor, metadata, transaction_id, rewarded_at, claimed_at)
        SELECT tenant, grant_id, holder, kind, 'CLAIMED', 'ISSUANCE', id, name, asset_id, amount_minor,
            coupon_code, price_minor, '{}', transaction_id, at, at
        FROM item
    )
    SELECT jsonb_agg(jsonb_build_object('code', 'GRANTED', 'rewardId', id, 'grantId', grant_id, 'transactionId', transaction_id,
        'pointsRedeemed', price_minor, 'kind', kind, 'name', name, 'couponCode', coupon_code) ORDER BY position)
    INTO items FROM item;

    UPDATE operations SET answer = items
    WHERE tenant_id = tenant AND partner_id = partner AND kind = 'ISSUE_REWARDS' AND key = request_id;
    RETURN items;
END $$;
