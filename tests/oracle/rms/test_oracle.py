"""The join's output equals the oracle's over random histories; ``python -m tests.oracle --feed rms`` runs more."""

import pytest

from tests.oracle.rms.play import compare

HISTORIES = 400
_PARTS = 8


@pytest.mark.parametrize("part", range(_PARTS))
def test_core_says_what_the_oracle_says(part: int):
    for seed in range(part, HISTORIES, _PARTS):
        is_wrong, _ = compare(seed)
        assert not is_wrong, f"python -m tests.oracle --feed rms --seed {seed}"
