"""The short, seeded part of the fault suite; ``make faults`` runs all of it."""

import pytest

from tests.faults.scenarios import SCENARIOS, complaints, execute

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.chaos
@pytest.mark.cluster
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("name", "times", "seed"), [("mixed", 6, 20261121), ("come-back", 1, 7)])
def test_nothing_is_lost_doubled_or_out_of_order(cluster, tmp_path, name, times, seed):
    run = execute(BY_NAME[name], cluster, tmp_path, seed, times)
    found = complaints(BY_NAME[name], run)
    assert not found, "\n".join([*found, run.workers.logs()[-6000:]])
