"""GraphiQL's tabs: documented example operations, filled in from the demo data.

Each is a file `graphiql/examples/NN-name.graphql`, whose leading comments document it, with an
optional `NN-name.variables.json` beside it. A first line `# token: member` runs it as the demo
member; without one it runs as the demo partner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import orjson

from gateway.ids import new_id

EXAMPLES_DIR: Final = Path(__file__).parent / "graphiql" / "examples"
DEMO_FILE_NAME: Final = "demo.json"
TOKEN_PLACEHOLDER: Final = "paste-a-token-here"  # noqa: S105 - says that there is none

_TOKEN_KEYS: Final = {"partner": "partnerToken", "member": "memberToken"}
_TOKEN_LINE = re.compile(r"\A# token: (?P<role>\w+)\n")
_PLACEHOLDER = re.compile(r"\{\{(?P<name>[\w.]+)\}\}")

Demo: TypeAlias = Mapping[str, Any]


def load_tabs(
    data_dir: Path, *, with_tokens: bool, examples_dir: Path = EXAMPLES_DIR
) -> list[dict[str, str]]:
    """Return GraphiQL's tabs in the order of the file names: query, variables, headers.

    Every `{{uuid}}` becomes a fresh UUID, so that idempotency keys are new with each page load. A
    name that the demo data lacks stays as it is, for a person to fill in.
    """
    demo = _read_demo(data_dir)
    return [
        _load_tab(path, demo, with_tokens=with_tokens)
        for path in sorted(examples_dir.glob("*.graphql"))
    ]


def _load_tab(path: Path, demo: Demo, *, with_tokens: bool) -> dict[str, str]:
    query = path.read_text(encoding="utf-8")
    match = _TOKEN_LINE.match(query)
    role = match["role"] if match else "partner"
    variables_path = path.with_suffix(".variables.json")
    variables = variables_path.read_text(encoding="utf-8") if variables_path.exists() else ""
    token = _find(demo, _TOKEN_KEYS[role]) if with_tokens else None
    headers = {"Authorization": f"Bearer {token or TOKEN_PLACEHOLDER}"}
    return {
        "query": _TOKEN_LINE.sub("", query),
        "variables": _fill(variables, demo),
        "headers": orjson.dumps(headers, option=orjson.OPT_INDENT_2).decode(),
    }


def _read_demo(data_dir: Path) -> Demo:
    """Return the demo's ids and tokens, or nothing where no demo was made."""
    try:
        demo = orjson.loads((data_dir / DEMO_FILE_NAME).read_bytes())
    except (OSError, ValueError):
        return {}
    return demo if isinstance(demo, dict) else {}


def _fill(template: str, demo: Demo) -> str:
    """Replace each `{{dotted.name}}` inside the JSON strings of a template."""

    def value_of(match: re.Match[str]) -> str:
        if match["name"] == "uuid":
            return str(new_id())
        value = _find(demo, match["name"])
        # The placeholder stands inside a JSON string: keep the escapes, drop the outer quotes.
        return match[0] if value is None else orjson.dumps(value).decode()[1:-1]

    return _PLACEHOLDER.sub(value_of, template)


def _find(demo: Demo, dotted_name: str) -> str | None:
    value: object = demo
    for name in dotted_name.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else None
