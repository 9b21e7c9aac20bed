"""Several mutations of one request run in order, and each answers with what is so after it."""

from __future__ import annotations

import pytest

from gateway.ids import IdKind, encode_id
from gateway.storage.database import Database
from tests.wallets import open_wallets

TWICE = """mutation ($member: MemberRef!, $reward: ID!) {
  first: grantReward(input: {clientReference: "a", member: $member, reward: {rewardId: $reward}}) { ...granted }
  second: grantReward(input: {clientReference: "b", member: $member, reward: {rewardId: $reward}}) { ...granted }
}
fragment granted on GrantRewardPayload {
  grant { member { balances { posted } grants { totalCount } ledgerEntries { totalCount } } }
}"""


@pytest.mark.requirement("MON-9", "ALL-3")
async def test_second_mutation_does_not_answer_what_the_first_had_loaded(
    database: Database,
) -> None:
    wallets = await open_wallets(database)
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward()
    data = await wallets.read(
        TWICE,
        {
            "member": {"id": encode_id(IdKind.MEMBER, member_id)},
            "reward": encode_id(IdKind.REWARD, reward.id),
        },
    )
    shown = [data[name]["grant"]["member"] for name in ("first", "second")]
    assert [member["balances"] for member in shown] == [[{"posted": "10"}], [{"posted": "20"}]]
    assert [member["grants"]["totalCount"] for member in shown] == [1, 2]
    assert [member["ledgerEntries"]["totalCount"] for member in shown] == [1, 2]
