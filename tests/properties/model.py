"""What the gateway must answer, worked out independently of it: plain dictionaries, no accounts, no entries, no SQL.

Members are 0, 1, 2; member 3 is nobody. Grants are numbered as they are made; a grant that is not there is number 999.
Each action is a tuple: its name, what is asked, all hashable, so that an action is its own fingerprint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

NOBODY = 3
NOTHING = 999
Action = tuple[Any, ...]
Reply = dict[str, Any]

# What each reward gives, and what it costs when it is issued.
GIVES = {
    "points": {"points": 10},
    "boost": {"points": 10},
    "mug": {"mugs": 2},
    "entry": {"entries": 3},
    "raffle": {"entries": 1},
    "coupon": {},
}
COSTS = {"boost": 6, "mug": 7, "coupon": 4}


class Refused(Exception):
    """The whole call is refused with this code, and leaves no trace."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.reply: Reply = {"error": code, **facts}


@dataclass
class Grant:
    """What a grant changed: per member's asset, and in the shop's stock of mugs."""

    member: int
    kind: str
    status: str
    gave: dict[str, int]
    paid: int = 0
    quantity: int = 1


@dataclass
class Model:
    """The state of one tenant."""

    stock: int
    free_codes: int
    has: Counter[tuple[int, str]] = field(default_factory=Counter)
    grants: list[Grant] = field(default_factory=list)
    holders: dict[int, int] = field(default_factory=dict)
    voided_codes: int = 0
    answers: dict[tuple[str, str], tuple[Action, Reply]] = field(default_factory=dict)
    item_answers: dict[str, tuple[Action, Reply]] = field(default_factory=dict)

    def do(self, key: str, action: Action) -> Reply:
        """Carry out an action under a key, or answer as before, or refuse."""
        name, *asked = action
        if (name, key) in self.answers:
            first, reply = self.answers[name, key]
            return (
                {**reply, "replay": True} if first == action else {"error": "IDEMPOTENCY_CONFLICT"}
            )
        carry_out: Callable[..., Reply] = getattr(self, f"do_{name}")
        try:
            reply = {**carry_out(*asked), "replay": False}
        except Refused as refused:
            return refused.reply
        if reply.pop("has_effect", True):
            self.answers[name, key] = (action, reply)
        return reply

    def do_cash(self, member: int, cents: int) -> Reply:
        self.require(member)
        self.has[member, "owed"] += cents
        return {
            "code": "GRANTED",
            "grant": self.add(Grant(member, "cash", "CONFIRMED", {"owed": cents})),
        }

    def do_give(self, member: int, reward: str) -> Reply:
        self.require(member)
        code, grant = self.give(member, reward, paid=0, quantity=1)
        if grant is None:
            raise Refused(code)
        return {"code": code, "grant": grant}

    def do_issue(self, member: int, items: tuple[tuple[str, str, str | None], ...]) -> Reply:
        """Each item is a reward, a quantity as text, and perhaps a key of its own."""
        own_keys = [key for _, _, key in items if key]
        if len(set(own_keys)) < len(own_keys):
            raise Refused("INVALID_INPUT")
        self.require(member)
        results: list[Reply] = [{}] * len(items)
        open_items: list[tuple[int, str, int, int]] = []
        for place, (reward, quantity_text, key) in enumerate(items):
            known = self.item_answers.get(key) if key else None
            if known:
                same = known[0] == (member, reward, Decimal(quantity_text))
                conflict = {"code": "IDEMPOTENCY_CONFLICT", "grant": None, "quantity": 0}
                results[place] = {**known[1], "replay": True} if same else conflict
                continue
            price = price_of(reward, Decimal(quantity_text))
            if price is None:
                results[place] = {"code": "INVALID_QUANTITY", "grant": None, "quantity": 0}
            else:
                open_items.append((place, reward, *price))
        self.check_points(member, open_items)
        for place, reward, quantity, points in open_items:
            results[place] = self.issue_one(member, items[place], reward, quantity, points)
        if not any(
            result["code"] in {"GRANTED", "QUANTITY_REDUCED", "ALREADY_ISSUED"}
            for result in results
        ):
            return {"items": results, "has_effect": False}
        for (reward, quantity_text, key), result in zip(items, results, strict=True):
            if (
                key
                and key not in self.item_answers
                and result["code"] in {"GRANTED", "QUANTITY_REDUCED", "ALREADY_ISSUED"}
            ):
                self.item_answers[key] = ((member, reward, Decimal(quantity_text)), result)
        return {"items": results}

    def check_points(self, member: int, open_items: list[tuple[int, str, int, int]]) -> None:
        """Refuse the call if the member cannot pay for all that could be issued; only the first coupon could be."""
        required, coupons = 0, 0
        for _, reward, _, points in open_items:
            if reward == "coupon":
                coupons += 1
                if member in self.holders or self.free_codes == 0 or coupons > 1:
                    continue
            required += points
        if required > self.has[member, "points"]:
            raise Refused(
                "INSUFFICIENT_BALANCE", required=required, available=self.has[member, "points"]
            )

    def issue_one(
        self, member: int, item: Action, reward: str, quantity: int, points: int
    ) -> Reply:
        code, grant = self.give(member, reward, points, quantity)
        if code == "GRANTED" and int(Decimal(item[1])) > quantity:
            code = "QUANTITY_REDUCED"
        is_new = code in {"GRANTED", "QUANTITY_REDUCED"}
        return {"code": code, "grant": grant, "quantity": quantity if is_new else 0}

    def do_distribute(self, lines: tuple[tuple[int, int, int], ...]) -> Reply:
        results = [self.distribute_one(*line) for line in lines]
        if all(grant is None for _, grant in results):
            raise Refused("DISTRIBUTION_REJECTED", codes=[code for code, _ in results])
        return {"lines": results}

    def distribute_one(self, member: int, points: int, experience: int) -> tuple[str, int | None]:
        if not points and not experience:
            return "INVALID_LINE", None
        if member == NOBODY:
            return "RECIPIENT_NOT_FOUND", None
        if self.has[member, "points"] + points < 0:
            return "INSUFFICIENT_BALANCE", None
        gave = {"points": points, "experience": experience}
        gave = {asset: amount for asset, amount in gave.items() if amount}
        for asset, amount in gave.items():
            self.has[member, asset] += amount
        return "GRANTED", self.add(Grant(member, "distributed", "CLAIMED", gave))

    def do_claim(self, member: int, numbers: tuple[int, ...]) -> Reply:
        self.require(member)
        results = {number: self.claim_one(member, number) for number in dict.fromkeys(numbers)}
        has_effect = any(code in {"CLAIMED", "ALREADY_CLAIMED"} for code in results.values())
        seen = [(results[n], None if results[n] == "GRANT_NOT_FOUND" else n) for n in numbers]
        return {"items": seen, "has_effect": has_effect}

    def claim_one(self, member: int, number: int) -> str:
        if number >= len(self.grants) or self.grants[number].member != member:
            return "GRANT_NOT_FOUND"
        grant = self.grants[number]
        if grant.status == "CONFIRMED":
            cents = grant.gave.pop("owed")
            grant.gave["cash"] = cents
            grant.status = "CLAIMED"
            self.has[member, "owed"] -= cents
            self.has[member, "cash"] += cents
            return "CLAIMED"
        return "ALREADY_CLAIMED" if grant.status == "CLAIMED" else "NOT_CLAIMABLE"

    def do_reverse(self, number: int) -> Reply:
        if number >= len(self.grants):
            raise Refused("NOT_FOUND")
        grant = self.grants[number]
        member = grant.member
        after = {
            asset: self.has[member, asset] - amount + (grant.paid if asset == "points" else 0)
            for asset, amount in {"points": 0, **grant.gave}.items()
        }
        if grant.status == "REVERSED" or min(after.values()) < 0:
            raise Refused("NOT_REVERSIBLE")
        for asset, amount in after.items():
            self.has[member, asset] = amount
        grant.status = "REVERSED"
        if grant.kind == "mug":
            self.stock += grant.gave["mugs"]
        if grant.kind == "coupon":
            del self.holders[member]
            self.voided_codes += 1
        return {"grant": number}

    def do_restock(self, units: int) -> Reply:
        self.stock += units
        return {"stock": self.stock}

    def give(self, member: int, reward: str, paid: int, quantity: int) -> tuple[str, int | None]:
        """Give a reward that can be paid for, or say why not."""
        gave = {asset: amount * quantity for asset, amount in GIVES[reward].items()}
        if reward == "mug":
            if self.stock < gave["mugs"]:
                return "OUT_OF_STOCK", None
            self.stock -= gave["mugs"]
        if reward == "coupon":
            if member in self.holders:
                return "ALREADY_ISSUED", self.holders[member]
            if self.free_codes == 0:
                return "POOL_EXHAUSTED", None
            self.free_codes -= 1
            self.holders[member] = len(self.grants)
        self.has[member, "points"] -= paid
        for asset, amount in gave.items():
            self.has[member, asset] += amount
        return "GRANTED", self.add(Grant(member, reward, "CLAIMED", gave, paid, quantity))

    def add(self, grant: Grant) -> int:
        self.grants.append(grant)
        return len(self.grants) - 1

    def require(self, member: int) -> None:
        if member == NOBODY:
            raise Refused("NOT_FOUND")


def price_of(reward: str, quantity: Decimal) -> tuple[int, int] | None:
    """Return how many are issued and for how many points; None if it cannot be sold like that."""
    whole = int(quantity.to_integral_value(ROUND_DOWN))
    if whole < 1:
        return None
    if reward != "raffle":
        return 1, COSTS.get(reward, 0)
    points = int((Decimal(whole) / 3).to_integral_value(ROUND_HALF_UP))
    return (whole, points) if points else None
