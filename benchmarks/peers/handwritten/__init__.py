"""The endpoint that a team would write instead of using a GraphQL gateway."""
