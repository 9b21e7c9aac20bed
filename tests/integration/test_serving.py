"""What `serve` refuses to begin, and which process runs the jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from gateway import app, cli
from gateway.app import create_application
from gateway.background import Job
from gateway.settings import Settings
from tests.api.toy_http import started
from tests.gateway_process import run_gateway


@pytest.mark.parametrize(("workers", "pool_size_max"), [(2, 96), (20, 10), (1, 191)])
def test_more_connections_than_the_embedded_server_has_are_refused(
    workers: int,
    pool_size_max: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DATABASE_POOL_SIZE_MAX", str(pool_size_max))
    monkeypatch.setattr("sys.argv", ["gateway", "serve", "--workers", str(workers)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 1
    assert capsys.readouterr().err == (
        "gateway: WORKERS × (DATABASE_POOL_SIZE_MAX + 4) must be at most 190 with the embedded PostgreSQL, "
        "which has 200 connections.\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("runs_jobs", [True, False])
async def test_jobs_run_where_they_are_to(
    runs_jobs: bool, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []

    @asynccontextmanager
    async def in_background(jobs: Sequence[Job]) -> AsyncIterator[None]:
        begun.append(len(jobs))
        yield

    monkeypatch.setattr(app, "in_background", in_background)
    application = create_application(
        Settings(data_dir=tmp_path), database_url, runs_jobs=lambda: runs_jobs
    )
    async with started(application):
        # Every process writes when the credentials that it saw were last used, and learns which issuers are trusted.
        assert begun == ([3, 3] if runs_jobs else [3])


def test_first_start_in_development_seeds_the_demo(tmp_path: Path) -> None:
    """As `make run` starts in an empty folder: the application's login, which founds no tenant, is not the one that seeds."""
    with run_gateway(tmp_path, {"DEVELOPMENT": "true", "DATABASE_URL": ""}) as gateway:
        demo = orjson.loads((tmp_path / "data" / "demo.json").read_bytes())
        answer = httpx.post(
            gateway.address,
            json={"query": "{ me { displayName } }"},
            headers={"Authorization": f"Bearer {demo['memberToken']}"},
        )
    assert answer.json() == {"data": {"me": {"displayName": "Ada"}}}
