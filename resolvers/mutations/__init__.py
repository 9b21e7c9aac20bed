"""The fields of Mutation, one file each."""

from strawberry.types.field import StrawberryField

from resolvers.mutations.capture import capture
from resolvers.mutations.claim_rewards import claim_rewards
from resolvers.mutations.create_asset import create_asset
from resolvers.mutations.create_campaign import create_campaign
from resolvers.mutations.create_code_pool import create_code_pool
from resolvers.mutations.create_competition import create_competition
from resolvers.mutations.create_group import create_group
from resolvers.mutations.create_member_token import create_member_token
from resolvers.mutations.create_product import create_product
from resolvers.mutations.create_reward import create_reward
from resolvers.mutations.create_segment import create_segment
from resolvers.mutations.create_till import create_till
from resolvers.mutations.create_vendor import create_vendor
from resolvers.mutations.define_custom_field import define_custom_field
from resolvers.mutations.define_fulfillment_stage import define_fulfillment_stage
from resolvers.mutations.delete_reward import delete_reward
from resolvers.mutations.distribute_rewards import distribute_rewards
from resolvers.mutations.fence_operation import fence_operation
from resolvers.mutations.fund_campaign import fund_campaign
from resolvers.mutations.fund_group import fund_group
from resolvers.mutations.grant_reward import grant_reward
from resolvers.mutations.import_codes import import_codes
from resolvers.mutations.issue_rewards import issue_rewards
from resolvers.mutations.link_identifier import link_identifier
from resolvers.mutations.mark_notifications_read import mark_notifications_read
from resolvers.mutations.record_event import record_event
from resolvers.mutations.release import release
from resolvers.mutations.request_validation_code import request_validation_code
from resolvers.mutations.reserve import reserve
from resolvers.mutations.restock_product import restock_product
from resolvers.mutations.reverse_grant import reverse_grant
from resolvers.mutations.reverse_operation import reverse_operation
from resolvers.mutations.set_asset_issuers import set_asset_issuers
from resolvers.mutations.set_group_members import set_group_members
from resolvers.mutations.set_member_cards import set_member_cards
from resolvers.mutations.set_member_labels import set_member_labels
from resolvers.mutations.set_segment_members import set_segment_members
from resolvers.mutations.update_campaign import update_campaign
from resolvers.mutations.update_fulfillment import update_fulfillment
from resolvers.mutations.update_reward import update_reward
from resolvers.mutations.update_vendor import update_vendor
from resolvers.mutations.upsert_member import upsert_member

# In the order of the printed schema.
MUTATIONS: list[StrawberryField] = [
    grant_reward,
    issue_rewards,
    distribute_rewards,
    claim_rewards,
    reverse_grant,
    reverse_operation,
    upsert_member,
    link_identifier,
    create_asset,
    set_asset_issuers,
    create_reward,
    update_reward,
    delete_reward,
    create_product,
    restock_product,
    create_competition,
    create_code_pool,
    import_codes,
    fence_operation,
    mark_notifications_read,
    reserve,
    capture,
    release,
    create_group,
    create_member_token,
    set_group_members,
    fund_group,
    create_segment,
    set_segment_members,
    set_member_cards,
    set_member_labels,
    define_custom_field,
    define_fulfillment_stage,
    update_fulfillment,
    create_till,
    request_validation_code,
    create_campaign,
    update_campaign,
    fund_campaign,
    record_event,
    create_vendor,
    update_vendor,
]
