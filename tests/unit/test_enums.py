"""Enums of the domain are described member by member, or not exposed at all."""

from __future__ import annotations

import enum

import pytest

from resolvers.enums import expose_enum


class Colour(enum.Enum):
    RED = "RED"
    BLUE = "BLUE"


def test_every_member_must_be_described() -> None:
    with pytest.raises(ValueError, match=r"Colour.*BLUE"):
        expose_enum(Colour, "A colour.", {"RED": "Like a rose."})
    with pytest.raises(ValueError, match=r"Colour.*GREEN"):
        expose_enum(Colour, "A colour.", {"RED": "r", "BLUE": "b", "GREEN": "g"})


def test_exposing_again_changes_the_definition_in_place() -> None:
    expose_enum(Colour, "A colour.", {"RED": "Like a rose.", "BLUE": "Like the sky."})
    definition = vars(Colour)["__strawberry_definition__"]
    expose_enum(Colour, "A tint.", {"RED": "Warm.", "BLUE": "Cold."}, name="Tint")
    assert vars(Colour)["__strawberry_definition__"] is definition
    assert (definition.name, definition.description) == ("Tint", "A tint.")
    assert [value.description for value in definition.values] == ["Warm.", "Cold."]
