"""The GraphQL-over-HTTP audits of `graphql-http`, the protocol's reference implementation."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

AUDITS_DIR = Path(__file__).parents[2] / "build" / "audits"
PACKAGES = ("graphql-http@1.23.1", "graphql@16.15.0")
INSTALL_TIMEOUT_SECONDS = 120
RUN_TIMEOUT_SECONDS = 60
AUDITS_TOTAL = 61
SCRIPT = """
import { serverAudits } from "graphql-http";
const authorization = { Authorization: process.argv[3] };
const fetchFn = (url, request) => fetch(url, { ...request, headers: { ...request?.headers, ...authorization } });
const audits = serverAudits({ url: process.argv[2], fetchFn });
const results = await Promise.all(audits.map((audit) => audit.fn()));
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
"""


@pytest.fixture(scope="module")
def audits_script() -> Path:
    """Install the audits where git does not look, once, and give the script that runs them."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is missing (Debian: apt-get install nodejs npm)")
    AUDITS_DIR.mkdir(parents=True, exist_ok=True)
    script = AUDITS_DIR / "run.mjs"
    script.write_text(SCRIPT)
    if not (AUDITS_DIR / "node_modules" / "graphql-http").is_dir():
        (AUDITS_DIR / "package.json").write_text("{}")
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", *PACKAGES]
        installed = subprocess.run(
            command,
            cwd=AUDITS_DIR,
            timeout=INSTALL_TIMEOUT_SECONDS,
            capture_output=True,
            check=False,
        )
        if installed.returncode != 0:
            pytest.skip("npm could not install graphql-http")
    return script


@pytest.mark.slow
def test_all_audits_pass(development: httpx.Client, audits_script: Path) -> None:
    finished = subprocess.run(
        [
            "node",
            str(audits_script),
            f"{development.base_url}/graphql",
            development.headers["Authorization"],
        ],
        timeout=RUN_TIMEOUT_SECONDS,
        capture_output=True,
        text=True,
        check=True,
    )
    results = json.loads(finished.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS_TOTAL
