"""Sums of grants that give several things, each grant counted once."""

from __future__ import annotations

from gateway.grants.filter import GrantFilter, GrantGrouping
from gateway.grants.total_store import fetch_grant_totals
from gateway.storage.database import Database
from tests.world import open_world


async def test_a_grant_of_several_benefits_counts_once_in_each_group(database: Database) -> None:
    world = await open_world(database)
    ada, grace, _ = world.members
    await world.distribute("d", [(ada, 50, 5), (grace, 20, 3), (grace, 7, 0)])
    standard = world.caller.standard_assets
    points, experience = standard.points_id, standard.experience_id
    found = {}
    async with database.connection() as connection:
        for grouping in (GrantGrouping.SOURCE, GrantGrouping.DAY, GrantGrouping.ASSET):
            totals = await fetch_grant_totals(connection, world.caller, grouping, GrantFilter())
            found[grouping] = [(total.grant_count, total.amounts_minor) for total in totals]
    everything = [(3, {points: 77, experience: 8})]
    assert found == {
        GrantGrouping.SOURCE: everything,
        GrantGrouping.DAY: everything,
        GrantGrouping.ASSET: [(3, {points: 77}), (2, {experience: 8})],
    }
