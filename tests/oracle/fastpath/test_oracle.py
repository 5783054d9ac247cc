"""The core's output equals the oracle's over random histories; ``python -m tests.oracle --feed fastpath`` runs more."""

import pytest

from tests.oracle.fastpath.delivery import random_history
from tests.oracle.fastpath.play import compare

HISTORIES = 400
_PARTS = 8


@pytest.mark.parametrize("part", range(_PARTS))
def test_core_says_what_the_oracle_says(part: int):
    for seed in range(part, HISTORIES, _PARTS):
        found, _ = compare(random_history(seed))
        assert found is None, f"seed {seed}: python -m tests.oracle --feed fastpath --seed {seed}"
