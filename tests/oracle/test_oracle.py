"""The core's output equals the oracle's over random histories; ``python -m tests.oracle`` runs more of them."""

import pytest

from tests.oracle.delivery import random_history
from tests.oracle.play import compare

HISTORIES = 480
_PARTS = 8


@pytest.mark.parametrize("part", range(_PARTS))
def test_core_says_what_the_oracle_says(part: int):
    for seed in range(part, HISTORIES, _PARTS):
        found, _ = compare(random_history(seed))
        assert found == [], f"seed {seed}: python -m tests.oracle --seed {seed}"
