"""The fields of Query, one file each."""

from strawberry.types.field import StrawberryField

from resolvers.queries.node import node, nodes

# In the order of the printed schema.
QUERIES: list[StrawberryField] = [
    node,
    nodes,
]
