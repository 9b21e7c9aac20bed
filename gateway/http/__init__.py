"""The Starlette application: GraphQL over HTTP, credentials, limits, health, logging, GraphiQL."""
