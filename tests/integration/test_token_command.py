"""The command line connects organisations, and records which of them a token reaches (CAP-13)."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from gateway.cli import application

ORGANISATION = re.compile(r"org_[0-9a-f-]{36}")
TENANT = re.compile(r"tenant: +([0-9a-f-]{36})")


@pytest.fixture
def runner(owner_database_url: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("DATABASE_URL", owner_database_url)
    return CliRunner()


def run(runner: CliRunner, *arguments: str) -> str:
    result = runner.invoke(application, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.requirement("CAP-13")
def test_token_is_made_to_reach_a_child(runner: CliRunner) -> None:
    founded = run(runner, "tenant", "create", "Acme", "--organisation", "Acme Oslo")
    tenant = ("--tenant", TENANT.findall(founded)[0])
    (parent,) = ORGANISATION.findall(founded)
    added = run(runner, "tenant", "add-organisation", *tenant, "Acme Bergen", "--parent", parent)
    (child,) = ORGANISATION.findall(added)
    made = ("token", "create", *tenant, "--label", "till", "--organisation", parent)
    assert "token:" in run(runner, *made, "--reach", child)
    beside = run(runner, "tenant", "add-organisation", *tenant, "Acme Bodø")
    refused = runner.invoke(application, [*made, "--reach", *ORGANISATION.findall(beside)])
    assert refused.exit_code == 1
    malformed = runner.invoke(application, [*made, "--reach", "nonsense"])
    assert malformed.exit_code == 2
    assert "--reach" in malformed.output
