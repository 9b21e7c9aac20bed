"""The request that a vendor gets: a JSON object in which placeholders are replaced by values. Nothing is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.errors import FieldError
from gateway.text import HIDDEN, check_json

# What an order has a value for. A value that the order lacks, such as the external id of a member without one, is null
# where the placeholder is the whole text, and nothing inside a longer text.
PLACEHOLDERS = (
    "orderId",
    "organizationId",
    "memberId",
    "memberExternalId",
    "rewardId",
    "offerName",
    "seriesId",
    "quantity",
)

_PLACEHOLDER = re.compile(r"\{([A-Za-z]+)\}")


def check_template(template: object, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rules: a JSON object of at most 16 KiB, with known placeholders, `{orderId}` among them."""
    if not isinstance(template, dict):
        return [FieldError(path, "object", f"{path[-1]} must be a JSON object.")]
    if errors := check_json(template, path):
        return errors
    named = find_placeholders(template)
    errors = [
        FieldError(path, "placeholder", f"{path[-1]} names {{{name}}}, which is no placeholder.")
        for name in sorted(named - set(PLACEHOLDERS))
    ]
    if "orderId" not in named:
        # Without it the vendor could not tell a question asked again from another purchase.
        message = f"{path[-1]} must send {{orderId}} in one of its values."
        errors.append(FieldError(path, "order_id", message))
    return errors


def find_placeholders(template: object) -> set[str]:
    """Return the names of all placeholders in a template's texts; its keys are left as they are."""
    return {name for text in _texts(template) for name in _PLACEHOLDER.findall(text)}


def render(template: Any, values: Mapping[str, Any]) -> Any:
    """Return the template with every placeholder replaced, once: what a value holds is never replaced again.

    A text that is nothing but a placeholder becomes the value itself, so that a number stays a number.
    """
    if isinstance(template, dict):
        return {key: render(item, values) for key, item in template.items()}
    if isinstance(template, list):
        return [render(item, values) for item in template]
    if not isinstance(template, str):
        return template
    if whole := _PLACEHOLDER.fullmatch(template):
        return values.get(whole[1])
    return _PLACEHOLDER.sub(lambda found: _to_text(values.get(found[1])), template)


def mask_template(template: Any) -> Any:
    """Return the template as it may be shown: its keys and placeholders. What else it says may be a secret."""
    if isinstance(template, dict):
        return {key: mask_template(item) for key, item in template.items()}
    if isinstance(template, list):
        return [mask_template(item) for item in template]
    if isinstance(template, str):
        parts = re.split(r"(\{[A-Za-z]+\})", template)
        return "".join(
            part if _PLACEHOLDER.fullmatch(part) else HIDDEN * bool(part) for part in parts
        )
    return template if template is None or isinstance(template, bool) else HIDDEN


def _to_text(value: object) -> str:
    return "" if value is None else str(value)


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, dict | list):
        for item in template.values() if isinstance(template, dict) else template:
            yield from _texts(item)
