"""Operations compiled to Python: what graphql-core does for a valid operation that succeeds, without deciding it anew each time.

graphql-core stays the authority. Compiled code only knows how an operation succeeds; whatever else happens, a value that does not
fit, a resolver that raises, it gives up, and graphql-core executes the operation, with the outcomes of the mutations that have
run already. docs/decisions/0043-compiled-operations.md says why and how.

| file | what it does |
|---|---|
| `source.py` | collects Python functions as text and compiles them |
| `inputs.py` | variables: from JSON to what resolvers take |
| `leaves.py` | scalars and enums: from what resolvers return to JSON |
| `calls.py` | how a field's resolver is called |
| `classes.py` | which Python classes stand for GraphQL's types |
| `outputs.py` | objects, lists and unions: from what resolvers return to JSON |
| `run.py` | one execution: what its resolvers share, and what it waits for |
| `operation.py` | an operation, compiled and run |
| `documents.py` | the operations of a document, each compiled when first asked for |
| `replay.py` | graphql-core's executor, told what mutations have done already |
"""
