"""Two tenants with three organizations and four members, in which every text says whose it is: `SECRET-OF-<owner>-<what>`.

Owners: `a` and `b`, unrelated organizations of one tenant, and `c` of another; the members `ann`, `bob` and `joe` of the first tenant
and `zed` of the second; `opena` is what `a` shows whom it grants to; `tenant1` is for its partners, `asseta` is what it counts, for its members too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import strawberry

from gateway.access import Caller, Scope
from gateway.ids import IdKind, decode_id, encode_id, new_id
from gateway.ledger.statement import encode_entry_id
from gateway.storage.database import Database
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.catalog import Shop, open_shop
from tests.vendor_shop import SECURITY

SCHEMA = build_schema(strawberry.Schema)
# What each member has of points, before what rewards add: so that an amount says whose it is.
POINTS = {"ann": 7_100_000, "bob": 7_200_000, "joe": 7_300_000, "zed": 7_400_000}
LARGEST_ENTRY = """
SELECT transaction_id, index FROM ledger_entries JOIN accounts ON accounts.tenant_id = $1 AND accounts.id = account_id
WHERE ledger_entries.tenant_id = $1 AND owner_id = $2 AND owner_kind = 'MEMBER' ORDER BY amount_minor DESC LIMIT 1
"""
MESSAGE = "SELECT id FROM notifications WHERE tenant_id = $1 AND member_id = $2 LIMIT 1"


def mark(owner: str, what: str) -> str:
    """Return a text that says whose it is."""
    return f"SECRET-OF-{owner}-{what}"


class NoPurchaser:
    """Knows what calls to vendors are bound by, and makes none."""

    security = SECURITY

    async def pursue(self, *_: Any) -> None:
        """Leave the orders open."""


@dataclass(slots=True)
class Corner:
    """One organization: its partner, the members that it knows, and the ids of what it has made, by name."""

    name: str
    tenant: str
    database: Database
    caller: Caller
    members: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    # By the owner that a coupon code is marked with, the member who has it.
    codes: dict[str, str] = field(default_factory=dict)

    def mark(self, what: str) -> str:
        """Return a text of the partner's own."""
        return mark(self.name, what)

    def open(self, what: str) -> str:
        """Return a text for whomever the partner grants to."""
        return mark(f"open{self.name}", what)

    def key(self, what: str) -> str:
        """Return an idempotency key of the partner's that was never used."""
        return f"{self.mark(what)}-{str(new_id())[-12:]}"

    def context(self, caller: Caller | None = None) -> Context:
        """Return what one request of this caller has."""
        purchaser: Any = NoPurchaser()
        return Context(self.database, caller or self.caller, "request", purchaser=purchaser)

    async def call(self, name: str, selection: str, given: dict[str, Any]) -> Any:
        """Run a mutation as the partner who may do anything; it must succeed."""
        input_name = SCHEMA._schema.mutation_type.fields[name].args["input"].type  # type: ignore[union-attr]
        document = f"""mutation ($input: {input_name}) {{ result: {name}(input: $input) {{
            __typename ... on Error {{ code message path }} {selection} }} }}"""
        key = "eventId" if name == "recordEvent" else "requestId"
        key = "clientReference" if name == "grantReward" else key
        given = {key: self.key(name), **given}
        result = await SCHEMA.execute(document, {"input": given}, context_value=self.context())
        assert not result.errors, (name, result.errors)
        assert result.data is not None
        answer = result.data["result"]
        assert "code" not in answer, (name, answer)
        self.keys[name] = given[key]
        return answer

    async def make(self, name: str, what: str, given: dict[str, Any], as_name: str = "") -> None:
        """Create something, and remember its id."""
        payload = f"{name[0].upper()}{name[1:]}Payload"
        selection = f"... on {payload} {{ {what} {{ ... on Node {{ id }} }} }}"
        if what == "till":
            selection = f"... on {payload} {{ {what} {{ id }} }}"
        answer = await self.call(name, selection, given)
        self.ids[as_name or what] = answer[what]["id"]

    def as_member(self, name: str) -> Caller:
        """Return the caller that a member's own token stands for."""
        member_id = decode_id(IdKind.MEMBER, self.members[name])
        assert isinstance(member_id, UUID)
        return replace(
            self.caller,
            partner_id=member_id,
            member_id=member_id,
            scopes=frozenset({Scope.MEMBER}),
        )


async def open_corners(database: Database) -> tuple[Corner, Corner, Corner]:
    """Make both tenants, with something of everything."""
    shop, other = await open_shop(database), await open_shop(database)
    a = _corner("a", "1", shop, shop.caller)
    b = _corner("b", "1", shop, shop.neighbor)
    c = _corner("c", "2", other, other.caller)
    for name in ("ann", "bob", "joe"):
        await _add_member(a, name)
    b.members = a.members
    await _add_member(c, "zed")
    await _add_groups(a)
    for corner in (a, b, c):
        await _fill_catalog(corner)
        await _fill_rewards(corner)
        await _fill_campaign(corner)
        for name in corner.members:
            await _give(corner, name)
    for corner in (a, b, c):
        await _add_what_nobody_answers(corner)
    return a, b, c


async def _add_what_nobody_answers(corner: Corner) -> None:
    """Remember ids that no mutation answers: of each member's largest entry, and of a message to them."""
    for name, member in corner.members.items():
        member_id = decode_id(IdKind.MEMBER, member)
        (entry,) = await corner.database.fetch(LARGEST_ENTRY, corner.caller.tenant_id, member_id)
        (message,) = await corner.database.fetch(MESSAGE, corner.caller.tenant_id, member_id)
        corner.ids[f"entry of {name}"] = encode_entry_id(entry["transaction_id"], entry["index"])
        corner.ids[f"message to {name}"] = encode_id(IdKind.NOTIFICATION, message["id"])


def _corner(name: str, tenant: str, shop: Shop, caller: Caller) -> Corner:
    return Corner(name, tenant, shop.database, caller)


async def _add_member(corner: Corner, name: str) -> None:
    identifiers = [
        {"identifierType": "EXTERNAL_ID", "identifierValue": mark(name, "profile-id")},
        {"identifierType": "EMAIL", "identifierValue": f"{mark(name, 'profile')}@example.com"},
    ]
    answer = await corner.call(
        "upsertMember",
        "... on UpsertMemberPayload { member { id } }",
        {"identifiers": identifiers, "displayName": mark(name, "profile-name")},
    )
    member = {"id": answer["member"]["id"]}
    corner.members[name] = member["id"]
    cards = [{"number": mark(name, "wallet-card")}]
    await corner.call("setMemberCards", "", {"member": member, "cards": cards})
    labels = [{"name": mark(f"tenant{corner.tenant}", "label")}]
    await corner.call("setMemberLabels", "", {"member": member, "labels": labels})


async def _add_groups(corner: Corner) -> None:
    """Make one group of all, for which ann stands, and one of bob alone."""
    ann, bob, joe = ({"id": corner.members[name]} for name in ("ann", "bob", "joe"))
    shared = {"externalId": mark("tenant1", "group"), "name": mark("joe", "group-of-all")}
    given = {"primaryMember": ann, "members": [bob, joe], **shared}
    await corner.make("createGroup", "group", given)
    alone = {"externalId": mark("tenant1", "group-of-bob"), "name": mark("bob", "group")}
    await corner.make("createGroup", "group", {"primaryMember": bob, **alone}, "group of bob")


async def _fill_catalog(corner: Corner) -> None:
    """Make what rewards are made of, and what issuing can name."""
    tenant_mark = mark(f"asset{corner.name}", "name")
    asset = {"code": mark(f"asset{corner.name}", "code"), "name": tenant_mark}
    await corner.make("createAsset", "asset", {**asset, "kind": "POINTS", "expiresAfterDays": 9})
    await corner.make("createProduct", "product", {"name": tenant_mark, "initialStock": 1000})
    await corner.make("createCompetition", "competition", {"name": tenant_mark})
    await corner.make("createCodePool", "codePool", {"name": corner.mark("pool")})
    codes = [mark(f"code{number}{corner.name}", "code") for number in range(40)]
    await corner.call("importCodes", "", {"codePoolId": corner.ids["codePool"], "codes": codes})
    vendor = {
        "name": corner.mark("vendor"),
        "endpoint": f"https://{corner.mark('host')}.example.com/orders",
        "requestTemplate": {"order": "{orderId}", "text": corner.mark("template")},
        "responseMapping": {"voucher": "code"},
        "secretHeader": {"name": corner.mark("header"), "value": mark("nobody", "secret")},
    }
    await corner.make("createVendor", "vendor", vendor)
    await corner.make("createSegment", "segment", {"name": corner.mark("segment")})
    segment = {"segmentId": corner.ids["segment"], "memberIds": list(corner.members.values())}
    await corner.call("setSegmentMembers", "", segment)
    await corner.call("defineCustomField", "", {"name": corner.mark("field"), "type": "STRING"})
    await corner.call("defineFulfillmentStage", "", {"name": corner.open("stage")})
    await corner.make("createTill", "till", {"name": corner.mark("till")})


async def _fill_rewards(corner: Corner) -> None:
    """Make a reward of each type, and one that nobody is granted."""
    ids = corner.ids
    configs = {
        "points": {"amount": 5},
        "expiring": {"amount": 5, "assetId": ids["asset"]},
        "product": {"productId": ids["product"]},
        "competitionEntry": {"competitionId": ids["competition"]},
        "uniqueCoupon": {"codePoolId": ids["codePool"]},
        "nonUniqueCoupon": {
            "code": corner.open("code"),
            "discountType": "FIXED",
            "discountValue": 5,
        },
        "vendorVoucher": {
            "vendorId": ids["vendor"],
            "offerName": corner.open("offer"),
            "seriesId": corner.open("series"),
        },
    }
    for name, config in configs.items():
        given = {
            "name": corner.open("reward"),
            "description": corner.open("description"),
            "config": {"points" if name == "expiring" else name: config},
            "metadata": {"note": corner.mark("metadata")},
            "memberMetadata": {"text": corner.open("member-metadata")},
            "segmentIds": [ids["segment"]],
        }
        await corner.make("createReward", "reward", given, f"{name} reward")
    config = {"points": {"amount": 1}}
    never = {"name": corner.mark("never"), "description": corner.mark("never"), "config": config}
    await corner.make("createReward", "reward", never, "never reward")


async def _fill_campaign(corner: Corner) -> None:
    tier = {"name": corner.mark("tier"), "rewardIds": [corner.ids["points reward"]]}
    given = {
        "name": corner.mark("campaign"),
        "triggers": [{"eventType": corner.mark("event")}],
        "tiers": [tier],
        "budgetAssetId": str(corner.caller.standard_assets.points_id),
    }
    await corner.make("createCampaign", "campaign", given)
    fund = {"campaignId": corner.ids["campaign"], "amount": 1000}
    await corner.call("fundCampaign", "", fund)


async def _give(corner: Corner, name: str) -> None:
    """Let a member have something of everything that partners give."""
    member = {"id": corner.members[name]}
    points_id = str(corner.caller.standard_assets.points_id)
    own = {"memberMetadata": {"text": mark(name, "member-metadata")}}
    notes = {"metadata": {"note": corner.mark("note")}, **own}
    grant = "... on GrantRewardPayload { grant { id benefits { ... on CouponCode { code } } } }"
    for kind in ("points", "expiring", "product", "competitionEntry", "uniqueCoupon"):
        reward = {
            "reward": {"rewardId": corner.ids[f"{kind} reward"]},
            "actionCode": corner.open("action"),
        }
        answer = await corner.call("grantReward", grant, {"member": member, **reward, **notes})
        corner.ids[f"{kind} of {name}"] = answer["grant"]["id"]
        codes = [benefit["code"] for benefit in answer["grant"]["benefits"] if benefit]
        corner.codes |= {code.split("-")[2]: name for code in codes}
    await corner.call("updateFulfillment", "", _fulfillment(corner, name))
    for kind in ("nonUniqueCoupon", "vendorVoucher"):
        item = {
            "rewardId": corner.ids[f"{kind} reward"],
            "eventLogId": corner.mark("log"),
            "params": {"note": corner.mark("params")},
            "customFields": [
                {"name": corner.mark("field"), "value": {"string": corner.mark("value")}}
            ],
            **own,
        }
        call = {"member": member, "rewards": [item], "notes": corner.mark("notes")}
        await corner.call("issueRewards", "", {**call, "skipValidation": True})
    cash = {"custom": {"amount": "5.00"}}
    for kind in ("claimed", "owed"):
        given = {"member": member, "reward": cash, "actionCode": corner.open("action"), **notes}
        answer = await corner.call("grantReward", grant, given)
        corner.ids[f"{kind} by {name}"] = answer["grant"]["id"]
    claim = {"member": member, "grantIds": [corner.ids[f"claimed by {name}"]]}
    await corner.call("claimRewards", "", claim)
    line = {
        "recipient": {"identifierType": "MEMBER_ID", "identifierValue": member["id"]},
        "currencyReward": {"currencyId": points_id, "amount": POINTS[name]},
    }
    told = {"description": corner.mark("told"), "message": mark(name, "wallet-message")}
    await corner.call("distributeRewards", "", {"rewards": [line], **told})
    event = {"eventType": corner.mark("event"), "member": member}
    await corner.call("recordEvent", "", {**event, "payload": {"note": corner.mark("payload")}})
    hold = {"member": member, "assetId": points_id, "amount": 1, "expiresInSeconds": 900}
    reason = {"reason": corner.mark("reason")}
    for what in ("hold", "other hold"):
        await corner.make("reserve", "hold", {**hold, **reason}, f"{what} of {name}")
    if name != "zed" and corner.name == "a":
        group = {"group": {"id": corner.ids["group"]}, "member": member}
        await corner.call("fundGroup", "", {**group, "assetId": points_id, "amount": 3})


def _fulfillment(corner: Corner, name: str) -> dict[str, Any]:
    grant_id = corner.ids[f"product of {name}"]
    return {"grantId": grant_id, "stage": corner.open("stage"), "note": corner.mark("step")}
