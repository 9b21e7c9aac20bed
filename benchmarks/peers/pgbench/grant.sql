\set member random(0, :members - 1)
SELECT id, status, rewarded_at FROM grant_reward(:tenant, :partner, :organization, :cash, uuidv7()::text, 'member-' || :member, 2500, 'device.purchase');
