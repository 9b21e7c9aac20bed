"""The fields of Mutation, one file each."""

from strawberry.types.field import StrawberryField

from resolvers.mutations.claim_rewards import claim_rewards
from resolvers.mutations.create_asset import create_asset
from resolvers.mutations.distribute_rewards import distribute_rewards
from resolvers.mutations.grant_reward import grant_reward
from resolvers.mutations.issue_rewards import issue_rewards
from resolvers.mutations.link_identifier import link_identifier
from resolvers.mutations.reverse_grant import reverse_grant
from resolvers.mutations.upsert_member import upsert_member

# In the order of the printed schema.
MUTATIONS: list[StrawberryField] = [
    grant_reward,
    issue_rewards,
    distribute_rewards,
    claim_rewards,
    reverse_grant,
    upsert_member,
    link_identifier,
    create_asset,
]
