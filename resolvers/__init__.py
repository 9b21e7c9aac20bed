"""GraphQL: inputs to commands, outcomes to union members. Knows the domain; the domain does not know it."""
