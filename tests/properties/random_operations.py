"""Random operations for a schema: selections, aliases, fragments, switches, arguments, and right and wrong variables."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

DEPTH_MAX = 3
FIELDS_MAX = 14

# What a scalar takes, as JSON; a value that some position refuses is there on purpose.
_SCALARS: dict[str, list[Any]] = {
    "Int": [0, 1, -3, 2147483647],
    "Float": [0.25, 3],
    "String": ["", "a", 'quote " and \\ é'],
    "Boolean": [True, False],
    "ID": ["id1", "2"],
    "Decimal": ["1.50", 3],
}
_WRONG: list[Any] = [None, True, 1.0, 2**31, "x", 7, [], {}, [1], {"x": 1}, {"unknown": 1}]


@dataclass
class Operation:
    """A document and the variables that go with it."""

    text: str
    variables: dict[str, Any]


@dataclass
class _Variable:
    type_text: str
    default: str | None
    value: Any = Undefined


@dataclass
class OperationWriter:
    """Writes one operation; all chances are the `random`'s, so that a failure can be repeated and shrunk."""

    schema: GraphQLSchema
    random: Random
    # Fields that always fail: were they as frequent as others, hardly any operation would succeed.
    rare: frozenset[str] = frozenset()
    _variables: dict[str, _Variable] = field(default_factory=dict)
    _fragments: list[tuple[str, str, str]] = field(default_factory=list)
    _arguments: dict[tuple[str, str], str] = field(default_factory=dict)
    _fields_left: int = FIELDS_MAX

    def write(self) -> Operation:
        """Write the operation."""
        kind = self.random.choice(("query", "query", "mutation"))
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        body = self._selection(root, 0)
        declared = ", ".join(
            f"${name}: {variable.type_text}"
            + ("" if variable.default is None else f" = {variable.default}")
            for name, variable in self._variables.items()
        )
        fragments = "".join(
            f" fragment {name} on {on} {text}" for name, on, text in self._fragments
        )
        values = {
            name: variable.value
            for name, variable in self._variables.items()
            if variable.value is not Undefined
        }
        text = f"{kind} Q{f'({declared})' if declared else ''} {body}{fragments}"
        return Operation(text, values)

    def _selection(self, on: GraphQLNamedType, depth: int) -> str:
        count = self.random.randint(1, 3)
        parts = [self._part(on, depth) for _ in range(count)]
        return f"{{ {' '.join(parts)} }}"

    def _part(self, on: GraphQLNamedType, depth: int) -> str:
        """Write a field, or a fragment in either form."""
        chance = self.random.random()
        can_nest = depth < DEPTH_MAX and self._fields_left > 0
        is_union = isinstance(on, GraphQLUnionType)
        if can_nest and (chance < 0.15 or (is_union and chance < 0.8)):
            condition = self._condition(on)
            to = f" on {condition.name}" if condition is not on or chance < 0.07 else ""
            return f"...{to}{self._switches()} {self._selection(condition, depth + 1)}"
        if can_nest and chance < 0.3:
            return f"...{self._fragment(on, depth)}{self._switches()}"
        if is_union or chance > 0.93:
            return f"{self.random.choice(('', '', 'kind: '))}__typename{self._switches()}"
        return self._field(on, depth)

    def _condition(self, on: GraphQLNamedType) -> Any:
        """Return a type that a fragment may be on: itself, a member, or an interface."""
        if is_abstract_type(on):
            return self.random.choice([on, *self.schema.get_possible_types(on)])
        assert isinstance(on, GraphQLObjectType)
        return self.random.choice([on, *on.interfaces])

    def _fragment(self, on: GraphQLNamedType, depth: int) -> str:
        """Spread a fragment that is there, or write one more."""
        known = [name for name, condition, _ in self._fragments if condition == on.name]
        if known and self.random.random() < 0.5:
            return self.random.choice(known)
        text = self._selection(on, depth + 1)
        name = f"F{len(self._fragments)}"
        self._fragments.append((name, on.name, text))
        return name

    def _field(self, on: Any, depth: int) -> str:
        self._fields_left -= 1
        names = sorted(on.fields)
        if depth >= DEPTH_MAX or self._fields_left <= 0:
            names = [name for name in names if is_leaf_type(get_named_type(on.fields[name].type))]
            if not names:
                return "__typename"
        name = self.random.choice(names)
        if name in self.rare and self.random.random() < 0.7:
            name = self.random.choice(names)
        # One key always has the same arguments, so that fields may be merged; and it is one type's, so that they may not clash.
        key = self.random.choice((name, f"{on.name}_{name}", f"{on.name}_{name}_1"))
        definition = on.fields[name]
        if (on.name, key) not in self._arguments:
            self._arguments[on.name, key] = self._write_arguments(definition.args)
        alias = "" if key == name else f"{key}: "
        named = get_named_type(definition.type)
        below = "" if is_leaf_type(named) else f" {self._selection(named, depth + 1)}"
        return f"{alias}{name}{self._arguments[on.name, key]}{self._switches()}{below}"

    def _switches(self) -> str:
        if self.random.random() < 0.85:
            return ""
        name = self.random.choice(("skip", "include"))
        if self.random.random() < 0.5:
            return f" @{name}(if: {self.random.choice(('true', 'false'))})"
        variable = self.random.choice(("b0", "b1"))
        self._declare(variable, self.schema.type_map["Boolean"], is_non_null=True)
        return f" @{name}(if: ${variable})"

    def _write_arguments(self, arguments: dict[str, GraphQLArgument]) -> str:
        given = [
            f"{name}: {self._argument(argument)}"
            for name, argument in arguments.items()
            if self.random.random() < 0.4
            or (isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined)
        ]
        return f"({', '.join(given)})" if given else ""

    def _argument(self, argument: GraphQLArgument) -> str:
        if self.random.random() < 0.5:
            return self._variable(argument.type)
        return self._literal(argument.type)

    def _variable(self, input_type: GraphQLInputType) -> str:
        is_non_null = isinstance(input_type, GraphQLNonNull)
        named: Any = input_type.of_type if isinstance(input_type, GraphQLNonNull) else input_type
        name = f"v{len(self._variables)}"
        self._declare(name, named, is_non_null=is_non_null)
        return f"${name}"

    def _declare(self, name: str, nullable: Any, *, is_non_null: bool) -> None:
        """Declare a variable for a position: not null, or with a default, as the position needs it."""
        if name in self._variables:
            return
        default = None
        if self.random.random() < 0.3:
            default = self._literal(nullable, constant=True)
            is_non_null = is_non_null and self.random.random() < 0.5
        variable = _Variable(f"{nullable}{'!' if is_non_null else ''}", default)
        chance = self.random.random()
        if chance < 0.93 or (is_non_null and default is None and chance < 0.97):
            variable.value = self._json(nullable)
        elif chance < 0.95:
            variable.value = self.random.choice(_WRONG)
        self._variables[name] = variable

    def _literal(self, input_type: Any, *, constant: bool = False) -> str:
        if isinstance(input_type, GraphQLNonNull):
            return self._literal_of(input_type.of_type, constant=constant)
        if self.random.random() < 0.1:
            return "null"
        return self._literal_of(input_type, constant=constant)

    def _literal_of(self, input_type: Any, *, constant: bool) -> str:
        if isinstance(input_type, GraphQLList):
            if self.random.random() < 0.15:
                return self._literal_of(input_type.of_type, constant=constant)
            count = self.random.randint(0, 2)
            return f"[{', '.join(self._inner(input_type.of_type, constant) for _ in range(count))}]"
        if isinstance(input_type, GraphQLNonNull):
            return self._literal_of(input_type.of_type, constant=constant)
        if isinstance(input_type, GraphQLInputObjectType):
            fields = ", ".join(
                f"{name}: {self._inner(input_type.fields[name].type, constant)}"
                for name in self._choose_fields(input_type)
            )
            return f"{{{fields}}}"
        if isinstance(input_type, GraphQLEnumType):
            return str(self.random.choice(sorted(input_type.values)))
        return json.dumps(self.random.choice(_SCALARS[input_type.name]), ensure_ascii=False)

    def _inner(self, input_type: Any, constant: bool) -> str:
        """Write a value within a literal: sometimes a variable."""
        if not constant and self.random.random() < 0.2:
            return self._variable(input_type)
        return self._literal(input_type, constant=constant)

    def _json(self, input_type: Any) -> Any:
        """Return a value of a type as a client's variable: now and then null, or one that does not fit."""
        if isinstance(input_type, GraphQLNonNull):
            return self._json_of(input_type.of_type)
        return None if self.random.random() < 0.05 else self._json_of(input_type)

    def _json_of(self, input_type: Any) -> Any:
        if self.random.random() < 0.01:
            return self.random.choice(_WRONG)
        if isinstance(input_type, GraphQLList):
            return [self._json(input_type.of_type) for _ in range(self.random.randint(0, 2))]
        if isinstance(input_type, GraphQLInputObjectType):
            return {
                name: self._json(input_type.fields[name].type)
                for name in self._choose_fields(input_type)
            }
        if isinstance(input_type, GraphQLEnumType):
            return self.random.choice(sorted(input_type.values))
        return self.random.choice(_SCALARS[input_type.name])

    def _choose_fields(self, input_type: GraphQLInputObjectType) -> list[str]:
        if input_type.is_one_of and self.random.random() < 0.9:
            return [self.random.choice(sorted(input_type.fields))]
        return [
            name
            for name, one in input_type.fields.items()
            if self.random.random() < 0.4
            or (isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined)
        ]
