"""The command line connects organizations, and records which of them a token reaches (CAP-13)."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from gateway.cli import application

ORGANIZATION = re.compile(r"org_[0-9a-f-]{36}")
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
    founded = run(runner, "tenant", "create", "Acme", "--organization", "Acme Oslo")
    tenant = ("--tenant", TENANT.findall(founded)[0])
    (parent,) = ORGANIZATION.findall(founded)
    added = run(runner, "tenant", "add-organization", *tenant, "Acme Bergen", "--parent", parent)
    (child,) = ORGANIZATION.findall(added)
    made = ("token", "create", *tenant, "--label", "till", "--organization", parent)
    assert "token:" in run(runner, *made, "--reach", child)
    beside = run(runner, "tenant", "add-organization", *tenant, "Acme Bodø")
    refused = runner.invoke(application, [*made, "--reach", *ORGANIZATION.findall(beside)])
    assert refused.exit_code == 1
    malformed = runner.invoke(application, [*made, "--reach", "nonsense"])
    assert malformed.exit_code == 2
    assert "--reach" in malformed.output
