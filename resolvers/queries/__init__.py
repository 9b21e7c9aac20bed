"""The fields of Query, one file each."""

from strawberry.types.field import StrawberryField

from resolvers.queries.assets import assets
from resolvers.queries.campaigns import campaign, campaigns
from resolvers.queries.declarations import (
    custom_fields,
    fulfillment_stages,
    organizations,
    tills,
)
from resolvers.queries.grant_totals import grant_totals
from resolvers.queries.grants import grants
from resolvers.queries.group import group
from resolvers.queries.items import code_pools, competitions, products
from resolvers.queries.me import me
from resolvers.queries.member import member
from resolvers.queries.members import members
from resolvers.queries.node import node, nodes
from resolvers.queries.operation import operation
from resolvers.queries.rewards import reward, rewards
from resolvers.queries.segments import segments
from resolvers.queries.vendors import vendors

# In the order of the printed schema.
QUERIES: list[StrawberryField] = [
    me,
    member,
    members,
    reward,
    rewards,
    assets,
    products,
    competitions,
    code_pools,
    campaign,
    campaigns,
    grants,
    grant_totals,
    group,
    segments,
    organizations,
    custom_fields,
    fulfillment_stages,
    tills,
    operation,
    node,
    nodes,
    vendors,
]
