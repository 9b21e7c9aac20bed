"""The command line makes tokens that say what they may do, and replaces and ends them."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from gateway.access import PARTNER_SCOPES
from gateway.cli import application
from gateway.ids import new_id

ORGANIZATION = re.compile(r"org_[0-9a-f-]{36}")
ALL = ("--all-scopes", "--no-daily-max")
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
    made = ("token", "create", *tenant, "--label", "till", "--organization", parent, *ALL)
    assert "token:" in run(runner, *made, "--reach", child)
    beside = run(runner, "tenant", "add-organization", *tenant, "Acme Bodø")
    refused = runner.invoke(application, [*made, "--reach", *ORGANIZATION.findall(beside)])
    assert refused.exit_code == 1
    malformed = runner.invoke(application, [*made, "--reach", "nonsense"])
    assert malformed.exit_code == 2
    assert "--reach" in malformed.output


@pytest.fixture
def founded(runner: CliRunner) -> tuple[str, ...]:
    """Return the options that name a new tenant and its organization."""
    said = run(runner, "tenant", "create", "Acme", "--organization", "Acme Oslo")
    return ("--tenant", TENANT.findall(said)[0], "--organization", *ORGANIZATION.findall(said))


def test_what_a_token_may_do_is_said(runner: CliRunner, founded: tuple[str, ...]) -> None:
    create = ("token", "create", *founded, "--label", "shop")
    for options in ((), ("--all-scopes", "--scope", "read"), ("--scope", "member")):
        refused = runner.invoke(application, [*create, *options])
        assert refused.exit_code != 0
        assert "rgw_" not in refused.output
    said = run(runner, *create, "--scope", "read", "--scope", "grant", "--no-daily-max")
    assert "scopes:     grant, read\n" in said
    assert "expires:    never" in said
    aloud = runner.invoke(application, [*create, *ALL])
    assert "may do everything a partner can" in aloud.stderr
    assert ", ".join(sorted(PARTNER_SCOPES)) in aloud.stdout


def test_members_token_takes_no_scopes(runner: CliRunner, founded: tuple[str, ...]) -> None:
    create = ("token", "create", *founded, "--label", "app", "--member", f"mem_{new_id()}")
    refused = runner.invoke(application, [*create, "--scope", "read"])
    assert (refused.exit_code, "--scope" in refused.output) == (2, True)


def test_token_ends_when_it_is_said_to(runner: CliRunner, founded: tuple[str, ...]) -> None:
    create = ("token", "create", *founded, "--label", "shop", "--scope", "read")
    assert "expires:    2101-01-31T00:00:00+00:00" in run(
        runner, *create, "--expires", "2101-01-31"
    )
    assert "expires:    2" in run(runner, *create, "--expires", "90d")
    for wrong in ("soon", "90", "-1d", "0x1d", "1234567d", "2026-02-30"):
        refused = runner.invoke(application, [*create, "--expires", wrong])
        assert (refused.exit_code, "--expires" in refused.output) == (2, True)
    past = runner.invoke(application, [*create, "--expires", "2020-01-01"])
    assert past.exit_code != 0


def test_token_is_rotated_and_listed(runner: CliRunner, founded: tuple[str, ...]) -> None:
    made = run(runner, "token", "create", *founded, "--label", "shop", "--scope", "read")
    (credential,) = re.findall(r"credential: ([0-9a-f-]{36})", made)
    rotated = run(runner, "token", "rotate", *founded[:2], credential, "--overlap", "2h")
    assert re.findall(r"rgw_live_\S+", rotated) != re.findall(r"rgw_live_\S+", made)
    listed = run(runner, "token", "list", *founded[:2])
    assert "two tokens until" in listed
    assert "used never" in listed
    assert "rgw_" not in listed
    run(runner, "token", "revoke", *founded[:2], credential)
    assert "revoked" in run(runner, "token", "list", *founded[:2])


def test_tenant_is_made_for_tests(runner: CliRunner) -> None:
    said = run(runner, "tenant", "create", "Acme", "--organization", "Acme Oslo", "--test")
    options = ("--tenant", TENANT.findall(said)[0], "--organization", *ORGANIZATION.findall(said))
    made = run(runner, "token", "create", *options, "--label", "shop", "--scope", "read")
    assert "rgw_test_" in made


def test_how_much_a_token_may_issue_is_said(runner: CliRunner, founded: tuple[str, ...]) -> None:
    create = ("token", "create", *founded, "--label", "shop", "--scope", "grant")
    some = ("--daily-max", "USD=500.00")
    for options in ((), (*some, "--no-daily-max"), ("--daily-max", "USD"), (*some, *some)):
        refused = runner.invoke(application, [*create, *options])
        assert (refused.exit_code, "--daily-max" in refused.output) == (2, True)
    for unknown in ("GEM=5", "USD=0.001", "USD=-1"):
        refused = runner.invoke(application, [*create, "--daily-max", unknown])
        assert refused.exit_code == 1
    assert "shop" not in run(runner, "token", "list", *founded[:2])
    made = run(runner, *create, *some, "--daily-max", "PTS=1000")
    (credential,) = re.findall(r"credential: ([0-9a-f-]{36})", made)
    listed = run(runner, "token", "list", *founded[:2])
    assert "PTS at most 1000 a day  USD at most 500.00 a day" in listed
    change = ("token", "limit", *founded[:2], credential)
    run(runner, *change, "--daily-max", "PTS=none", "--daily-max", "USD=20")
    listed = run(runner, "token", "list", *founded[:2])
    assert "USD at most 20.00 a day" in listed
    assert "PTS" not in listed
    assert runner.invoke(application, [*change]).exit_code == 2


def test_issuer_is_added_listed_and_removed(runner: CliRunner, founded: tuple[str, ...]) -> None:
    issuer = ("--issuer", "https://login.example.com/", "--audience", "rewards")
    added = run(runner, "issuer", "add", *founded, *issuer)
    (issuer_id,) = re.findall(r"issuer: ([0-9a-f-]{36})", added)
    assert "https://login.example.com/.well-known/jwks.json" in added
    assert "trusted" in run(runner, "issuer", "list", *founded[:2])
    taken = runner.invoke(application, ["issuer", "add", *founded, *issuer])
    assert taken.exit_code == 1
    run(runner, "issuer", "remove", *founded[:2], issuer_id)
    assert "removed" in run(runner, "issuer", "list", *founded[:2])
    run(runner, "issuer", "add", *founded, *issuer)


def test_issuer_on_this_machine_is_refused(runner: CliRunner, founded: tuple[str, ...]) -> None:
    issuer = ("--issuer", "http://127.0.0.1:9/", "--audience", "rewards")
    refused = runner.invoke(application, ["issuer", "add", *founded, *issuer])
    assert refused.exit_code == 1
