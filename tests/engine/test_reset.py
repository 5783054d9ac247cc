"""Reset on a real Kafka: what it would cost, what it does, and when it refuses."""

import pytest
from confluent_kafka import TopicPartition

from processors.engine.reset import Reset
from schemas.errors import ContractError, FencedError, PositionError
from tests.engine.lab import CHANGELOG, RAW, expect_clean, stop
from tests.engine.test_positions import foreign_checkpoint
from tests.engine.toy import REGISTRY, ToyProcessor

pytestmark = pytest.mark.kafka


@pytest.fixture
def reset(lab):
    return Reset(ToyProcessor(), prefix=lab.prefix, registry=REGISTRY, kafka=lab.kafka, settings=lab.settings)


@pytest.fixture
def worked(worked):
    """40 records processed, 8 more waiting."""
    worked.feed(range(40, 48))
    return worked


async def test_to_earliest_writes_everything_again(worked, reset):
    plans = await reset.plan("earliest")
    assert [(plan.partition, plan.position, plan.again, plan.skipped, plan.forgotten) for plan in plans] == [
        ((worked.prefix + RAW, part), 0, 10, 0, 2) for part in range(4)
    ]
    assert worked.committed() == dict.fromkeys(range(4), 10)  # a plan changes nothing
    await reset.do(plans)
    assert worked.committed() == dict.fromkeys(range(4), 0)
    outputs = worked.work_off(80 + 96)
    assert len(outputs) == 80 + 96
    assert sorted(output["nth"] for output in outputs if output["id"] == 0) == [0, 0, 0, 0]


async def test_to_committed_keeps_the_place_and_forgets_the_state(worked, reset):
    plans = await reset.plan("committed")
    assert [(plan.position, plan.again, plan.skipped) for plan in plans] == [(10, 0, 0)] * 4
    await reset.do(plans)
    outputs = worked.work_off(96)
    assert len(outputs) == 96
    assert sorted({output["nth"] for output in outputs if output["id"] >= 40}) == [0, 1]


async def test_to_latest_skips(worked, reset):
    plans = await reset.plan("latest")
    assert [(plan.position, plan.again, plan.skipped) for plan in plans] == [(12, 0, 2)] * 4
    await reset.do(plans)
    fleet = worked.workers()
    worked.feed(range(48, 52))
    outputs = worked.outputs(88)
    assert sorted(output["id"] for output in outputs if output["id"] >= 40) == sorted([48, 49, 50, 51] * 2)
    assert stop(fleet) == 0


async def test_a_living_member_refuses_it(worked, reset):
    worked.workers()
    worked.wait_for_members(1)
    with pytest.raises(ContractError, match=f"living members: {worked.group}-w0"):
        await reset.plan("earliest")


async def test_a_member_that_joins_after_the_plan_refuses_the_doing(worked, reset):
    plans = await reset.plan("earliest")
    fleet = worked.workers()
    worked.outputs(96)
    with pytest.raises((ContractError, FencedError)):
        await reset.do(plans)
    worked.feed(range(48, 52))
    expect_clean(worked.outputs(104), range(52), 2)
    assert stop(fleet) == 0
    worked.feed(range(52, 56))
    expect_clean(worked.work_off(112), range(56), 2)


@pytest.mark.parametrize("target", ["earliest", "committed"])
async def test_it_is_the_way_past_each_refusal(worked, reset, target):
    ends = [TopicPartition(worked.prefix + RAW, part, 11) for part in range(4)]
    for future in worked.admin.delete_records(ends).values():
        future.result()
    assert worked.run_to_exit()[0] == 78
    worked.wait_for_members(0)
    plans = await reset.plan(target)
    assert [(plan.position, plan.skipped) for plan in plans] == [(11, 1)] * 4
    await reset.do(plans)
    outputs = worked.work_off(88)
    assert sorted(output["id"] for output in outputs if output["id"] >= 40) == sorted([44, 45, 46, 47] * 2)


async def test_an_emptied_changelog_is_mended(worked, reset):
    worked.recreate(CHANGELOG, **{"cleanup.policy": "compact"})
    assert worked.run_to_exit()[0] == 78
    worked.wait_for_members(0)
    await reset.do(await reset.plan("committed"))
    assert len(worked.work_off(96)) == 96


async def test_a_foreign_changelog_needs_force(worked, reset):
    worked.write(foreign_checkpoint(worked, group="other.toy"), topic=CHANGELOG, key=b"@")
    worked.flush()
    with pytest.raises(PositionError, match=r"belongs to other\.toy"):
        await reset.plan("committed")
    await reset.do(await reset.plan("committed", force=True))
    assert len(worked.work_off(96)) == 96


@pytest.mark.parametrize("key", [b"junk", b"@"])
async def test_junk_in_the_changelog_is_forgotten_with_force(worked, reset, key):
    """Compaction may take the junk itself away much later, so a restore must be able to read over it."""
    worked.write(b"junk", topic=CHANGELOG, key=key)
    worked.flush()
    assert worked.run_to_exit()[0] == 78
    worked.wait_for_members(0)
    await reset.do(await reset.plan("committed", force=True))
    assert len(worked.work_off(96)) == 96


async def test_a_new_group_can_be_reset(lab, reset):
    lab.feed(range(8))
    plans = await reset.plan("latest")
    assert [(plan.position, plan.skipped, plan.forgotten) for plan in plans] == [(2, 2, 0)] * 4
    await reset.do(plans)
    fleet = lab.workers()
    lab.feed(range(8, 12))
    assert sorted(output["id"] for output in lab.outputs(8)) == sorted([8, 9, 10, 11] * 2)
    assert stop(fleet) == 0
