-- What PostGraphile is told about the peers' tables: relations without foreign keys, filters, and the kinds of grant.
COMMENT ON TABLE accounts IS
    E'@foreignKey (tenant_id, owner_id) references members (tenant_id, id)|@foreignFieldName accounts';
COMMENT ON COLUMN accounts.owner_kind IS E'@behavior +filterBy +condition:attribute:filterBy';
COMMENT ON TABLE grants IS E'@interface mode:single type:kind
@type CUSTOM name:CustomGrant attributes:amount_minor,asset_id,action_code
@type CURRENCY name:CurrencyGrant attributes:amount_minor,asset_id
@type COMPETITION_ENTRY name:CompetitionEntryGrant attributes:reward_name,amount_minor
@type COUPON name:CouponGrant attributes:reward_name,coupon_code
@type POINTS name:PointsGrant attributes:reward_name,amount_minor';
