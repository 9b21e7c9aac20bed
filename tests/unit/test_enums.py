"""Enums of the domain are described member by member, or not exposed at all."""

from __future__ import annotations

import enum

import pytest

from resolvers.enums import expose_enum


class Color(enum.Enum):
    RED = "RED"
    BLUE = "BLUE"


def test_every_member_must_be_described() -> None:
    with pytest.raises(ValueError, match=r"Color.*BLUE"):
        expose_enum(Color, "A color.", {"RED": "Like a rose."})
    with pytest.raises(ValueError, match=r"Color.*GREEN"):
        expose_enum(Color, "A color.", {"RED": "r", "BLUE": "b", "GREEN": "g"})


def test_exposing_again_changes_the_definition_in_place() -> None:
    expose_enum(Color, "A color.", {"RED": "Like a rose.", "BLUE": "Like the sky."})
    definition = vars(Color)["__strawberry_definition__"]
    expose_enum(Color, "A tint.", {"RED": "Warm.", "BLUE": "Cold."}, name="Tint")
    assert vars(Color)["__strawberry_definition__"] is definition
    assert (definition.name, definition.description) == ("Tint", "A tint.")
    assert [value.description for value in definition.values] == ["Warm.", "Cold."]
