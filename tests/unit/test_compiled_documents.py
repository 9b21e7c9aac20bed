"""What of a document is compiled and when, and what it may take."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, parse

from gateway.http import graphql_documents
from gateway.http.execution import documents
from gateway.http.execution.documents import COMPILED_MAX, SWITCHES_MAX, CompiledDocument
from gateway.http.execution.operation import CompiledOperation
from gateway.http.graphql_documents import CHARACTERS_FOR_WRITTEN, DocumentCache
from tests.toy_operations import CompiledSchema, UnmaskedSchema, make_toy_schema, run_compiled

SCHEMA = make_toy_schema(CompiledSchema)


def find(document: CompiledDocument, name: str | None = None) -> OperationDefinitionNode:
    operation = document.find(name)
    assert operation is not None
    return operation


def compile_it(
    text: str | CompiledDocument, variables: dict[str, Any] | None = None, name: str | None = None
) -> CompiledOperation | None:
    document = CompiledDocument(parse(text)) if isinstance(text, str) else text
    return document.compile(SCHEMA, find(document, name), variables or {}, 1)


def test_operation_is_found_by_name_or_alone() -> None:
    alone = CompiledDocument(parse("query A { number }"))
    assert find(alone) is find(alone, "A")
    assert alone.find("B") is None
    assert CompiledDocument(parse("{ number }")).find("A") is None
    two = CompiledDocument(parse("query A { number } query B { number }"))
    assert two.find(None) is None
    assert find(two, "A") is not find(two, "B")


def test_document_is_compiled_when_it_comes_again() -> None:
    document = CompiledDocument(parse("{ number }"))
    uses = [document.compile(SCHEMA, find(document), {}, 3) for _ in range(4)]
    assert uses[:2] == [None, None]
    assert uses[2] is not None
    assert uses[3] is uses[2]


async def test_each_combination_of_switches_is_compiled_once() -> None:
    document = CompiledDocument(
        parse(
            "query ($a: Boolean! = true, $b: Boolean!) "
            "{ start { number @include(if: $a) text @skip(if: $b) ... @include(if: $a) { flag } } }"
        )
    )
    answers = {}
    for given in ({"b": True}, {"b": False}, {"a": False, "b": False}, {"a": True, "b": True}):
        compiled = compile_it(document, given)
        assert compiled is not None
        assert compile_it(document, dict(given)) is compiled
        answers[str(given)] = (await compiled.run(None, given, {}))["start"]
    assert list(answers.values()) == [
        {"number": 1, "flag": True},
        {"number": 1, "text": "text", "flag": True},
        {"text": "text"},
        {"number": 1, "flag": True},
    ]


@pytest.mark.parametrize("given", [{}, {"a": None}, {"a": 1}, {"a": "true"}])
def test_switch_that_is_no_boolean_is_left_to_graphql_core(given: dict[str, Any]) -> None:
    document = CompiledDocument(parse("query ($a: Boolean!) { number @skip(if: $a) }"))
    assert compile_it(document, given) is None
    # These variables were wrong; others are not.
    assert compile_it(document, {"a": False}) is not None


def test_many_switches_are_left_to_graphql_core() -> None:
    def text(count: int) -> str:
        declared = ", ".join(f"$s{n}: Boolean = false" for n in range(count))
        fields = " ".join(f"f{n}: number @skip(if: $s{n})" for n in range(count))
        return f"query ({declared}) {{ {fields} }}"

    assert compile_it(text(SWITCHES_MAX)) is not None
    assert compile_it(text(SWITCHES_MAX + 1)) is None


@pytest.mark.parametrize(
    "text",
    [
        "{ number @unknown }",
        "{ ... @defer { number } }",
        "subscription { number }",
        "{ __schema { description } }",
    ],
)
def test_other_directives_and_kinds_are_left_to_graphql_core(text: str) -> None:
    document = CompiledDocument(parse(text))
    assert compile_it(document) is None
    assert compile_it(document) is None
    assert document.written == 0


def test_operations_that_share_a_fragment_are_compiled_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is short in the document; together they would take far more than it."""
    names = [f"O{n}" for n in range(COMPILED_MAX + 1)]
    text = " ".join(f"query {name} {{ ...F }}" for name in names)
    document = CompiledDocument(parse(f"{text} fragment F on Query {{ number a: number }}"))
    compiled = [compile_it(document, name=name) for name in names]
    assert None not in compiled[:-1]
    assert compiled[-1] is None
    # For each a function of its two fields, and one of its variables.
    assert document.written == 4 * COMPILED_MAX
    monkeypatch.setattr(documents, "WRITTEN_MAX", 8)
    document = CompiledDocument(parse(f"{text} fragment F on Query {{ number a: number }}"))
    assert [compile_it(document, name=name) is None for name in names[:4]] == [
        False,
        False,
        True,
        True,
    ]
    assert compile_it(document, name=names[0]) is not None


async def test_names_are_only_ever_text() -> None:
    """GraphQL's names may be Python's keywords, and names that generated code uses itself."""
    query = (
        "query ($run: Int, $source: Int = 2) { class: start { out: later(n: $run) v: later(n: $source) "
        "None: text refuse: number n0: number f1: number __class__: number import: sync(n: 1) } }"
    )
    assert await run_compiled(SCHEMA, query, {"run": 1}) == {
        "class": {
            "out": 1,
            "v": 2,
            "None": "text",
            "refuse": 1,
            "n0": 1,
            "f1": 1,
            "__class__": 1,
            "import": 2,
        }
    }


# How a cache of documents counts.


def cached(schema: UnmaskedSchema) -> DocumentCache:
    return schema._documents


async def test_what_is_compiled_counts_in_the_cache() -> None:
    schema = make_toy_schema(CompiledSchema)
    first, second = "{ start { number } }", "{ start { text } }"
    # Two functions of one field each, and one of no variables.
    compiled = 5 * CHARACTERS_FOR_WRITTEN
    room = len(first) + len(second) + 2 * compiled
    schema._documents = DocumentCache(room)
    for query in (first, second, first):
        await schema.execute(query)
    assert len(cached(schema)._documents) == 2
    assert cached(schema)._characters == room
    await schema.execute("{ number }")
    # The oldest has made room: its characters and what was compiled of it.
    assert list(cached(schema)._documents) == [first, "{ number }"]
    assert cached(schema)._characters == room - len(second) - compiled + len("{ number }") + (
        3 * CHARACTERS_FOR_WRITTEN
    )
    assert set(cached(schema)._sizes) == set(cached(schema)._documents)


async def test_refused_document_is_validated_once_while_no_other_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schema = make_toy_schema(CompiledSchema)
    checks: list[str] = []
    check = graphql_documents.check_document

    def counted(
        of: GraphQLSchema, query: str, *, suggests: bool
    ) -> graphql_documents.CheckedDocument:
        checks.append(query)
        return check(of, query, suggests=suggests)

    monkeypatch.setattr(graphql_documents, "check_document", counted)
    for name in ("nothing", "nothing", "nobody", "nothing"):
        result = await schema.execute(f"{{ {name} }}")
        assert [error.message for error in result.errors or ()] == [
            f"Cannot query field '{name}' on type 'Query'."
        ]
    assert checks == ["{ nothing }", "{ nobody }", "{ nothing }"]
