"""What an expression can cost at most, told from its tokens alone, before it is ever evaluated.

Work is counted in bytes looked at. An operator looks at no more than everything there is; a macro does so once for each item
of a list. So that no more than that can happen, macros do not nest, and what builds lists of lists (`map`) or compiles
patterns (`matches`) is left out of the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

EXPRESSION_LENGTH_MAX = 1_000
NESTING_MAX = 20
MACROS = frozenset({"all", "exists", "exists_one", "existsOne", "filter"})
UNBOUNDED = frozenset({"map", "matches"})
VARIABLES = frozenset({"payload", "member", "event", "local", "now"})
FUNCTIONS = frozenset(
    {
        "contains",
        "startsWith",
        "endsWith",
        "size",
        "int",
        "uint",
        "double",
        "string",
        "timestamp",
        "duration",
        "getFullYear",
        "getMonth",
        "getDate",
        "getDayOfMonth",
        "getDayOfWeek",
        "getDayOfYear",
        "getHours",
        "getMinutes",
        "getSeconds",
        "getMilliseconds",
    }
)

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|//[^\n]*)
    | (?P<string>
        (?:[bB]?[rR]|[rR][bB])(?:\"{3}[\s\S]*?\"{3}|'{3}[\s\S]*?'{3}|"[^"\n]*"|'[^'\n]*')
        | [bB]?(?:\"{3}(?:\\[\s\S]|[^\\])*?\"{3}|'{3}(?:\\[\s\S]|[^\\])*?'{3}
            |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    | (?P<number>(?:0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[uU]?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_OPENING, _CLOSING = "([{", ")]}"
# Neither looks at a value: they only stand between others.
_PUNCTUATION = frozenset("()[]{},:.")


class InvalidExpression(ValueError):
    """The expression cannot be used; `rule` is a short stable name, the message says where and why."""

    def __init__(self, rule: str, problem: str, line: int = 1, column: int = 1) -> None:
        """Keep the rule and write the sentence."""
        super().__init__(f"is wrong at line {line}, column {column}: {problem}")
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Token:
    """One word of an expression: `kind` is string, number, name or operator."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Body:
    """A macro's inside: the name it binds, its size, and whether it looks at more than its item, or copies items."""

    bound_name: str
    token_count: int
    operator_count: int
    looks_outside: bool
    copies: bool


@dataclass(frozen=True, slots=True)
class Cost:
    """What evaluation looks at, for a given size of what it is evaluated on."""

    length: int
    operator_count: int
    growth: int
    bodies: tuple[Body, ...]

    def work(self, size_bytes: int, items_max: int) -> int:
        """Return the most work that evaluating on facts of this size can be; lists have at most `items_max` items."""
        # Each + makes at most one more copy of everything.
        size_bytes = (size_bytes + self.length) * self.growth
        items_max = max(items_max, self.length) * self.growth
        work = size_bytes * (1 + self.operator_count)
        for body in self.bodies:
            # Items are parts of the whole, so looking at each of them once is looking at the whole once.
            per_operator = items_max * body.token_count + size_bytes
            if body.looks_outside:
                per_operator = items_max * size_bytes
            work += per_operator * (1 + body.operator_count)
            # The list that a filter makes is copied at each item.
            work += items_max * size_bytes if body.copies else 0
        return work


def tokenize(source: str) -> list[Token]:
    """Return the tokens of an expression.

    Raises:
        InvalidExpression: a character belongs to no token, or brackets are nested too deeply or do not match.
    """
    tokens: list[Token] = []
    offset, line, line_start, depth = 0, 1, 0, 0
    while offset < len(source):
        match = _TOKEN.match(source, offset)
        column = offset - line_start + 1
        if match is None:
            raise InvalidExpression("syntax", "this cannot be read.", line, column)
        text, kind = match[0], match.lastgroup or ""
        if kind != "space":
            tokens.append(Token(kind, text, line, column))
            depth += (text in _OPENING) - (text in _CLOSING)
        if depth > NESTING_MAX:
            problem = f"brackets are nested more than {NESTING_MAX} deep."
            raise InvalidExpression("depth", problem, line, column)
        if breaks := text.count("\n"):
            line, line_start = line + breaks, offset + text.rindex("\n") + 1
        offset = match.end()
    return tokens


def measure(source: str, tokens: Sequence[Token]) -> Cost:
    """Return what the expression costs.

    Raises:
        InvalidExpression: a macro stands inside another, or binds the name of a variable.
    """
    bodies = tuple(_find_bodies(tokens))
    operators = [token.text for token in tokens if _is_work(token)]
    return Cost(len(source), len(operators), 1 + operators.count("+"), bodies)


def refuse_unbounded(tokens: Sequence[Token]) -> None:
    """Refuse calls of the language's functions that have no bound; fields of the same names are fine.

    Raises:
        InvalidExpression: there is one.
    """
    for token, following in pairwise(tokens):
        if token.kind == "name" and token.text in UNBOUNDED and following.text == "(":
            problem = f"there is no function {token.text}."
            raise InvalidExpression("function", problem, token.line, token.column)


def find_name(tokens: Sequence[Token], name: str) -> Token:
    """Return where a name stands, for messages; the expression's first token if it is not written out."""
    return next((token for token in tokens if token.text == name), tokens[0])


def _find_bodies(tokens: Sequence[Token]) -> Iterator[Body]:
    end = 0
    for index, token in enumerate(tokens):
        following = [following.text for following in tokens[index + 1 : index + 4 : 2]]
        is_call = index > 0 and tokens[index - 1].text == "." and following[:1] == ["("]
        if not (is_call and token.text in MACROS and following[1:] == [","]):
            continue
        if index < end:
            problem = f"{token.text} stands inside another macro."
            raise InvalidExpression("nesting", problem, token.line, token.column)
        end = _find_end(tokens, index + 1)
        bound = tokens[index + 2]
        if bound.text in VARIABLES:
            problem = f"{bound.text} is a variable and cannot name an item."
            raise InvalidExpression("name", problem, bound.line, bound.column)
        yield _to_body(token.text, bound.text, tokens[index + 4 : end])


def _find_end(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].text in _OPENING) - (tokens[index].text in _CLOSING)
        if depth == 0:
            return index
    return len(tokens)


def _to_body(macro: str, bound_name: str, tokens: Sequence[Token]) -> Body:
    return Body(
        bound_name,
        token_count=len(tokens),
        operator_count=sum(map(_is_work, tokens)),
        looks_outside=any(token.kind == "name" and token.text in VARIABLES for token in tokens),
        copies=macro == "filter",
    )


def _is_work(token: Token) -> bool:
    is_word = token.kind == "name" and (token.text in FUNCTIONS or token.text in {"in", "has"})
    return is_word or (token.kind == "operator" and token.text not in _PUNCTUATION)
