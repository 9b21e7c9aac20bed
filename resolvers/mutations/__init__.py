"""The fields of Mutation, one file each."""

from strawberry.types.field import StrawberryField

# In the order of the printed schema.
MUTATIONS: list[StrawberryField] = []
