"""Raw record → approvals and evidence, by files that people can read; payloads as in the fact sheet (§9)."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.rms.codes import Count
from tests.core.rms.approvals.golden import shown

GOLDEN = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parents[3].glob("golden/rms/*.json"))
}


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN.keys())
def test_a_raw_record_causes_exactly_this(case: dict[str, Any]):
    assert {"note": case["note"], "raw": case["raw"]} | shown(case["raw"]) == case


def test_there_is_a_file_for_every_kind_of_end():
    assert {len(case["records"]) for case in GOLDEN.values()} >= {0, 1, 2}
    assert {found["evidence"] for case in GOLDEN.values() for found in case["evidence"]} == {"approval", "looked_up"}
    assert {what for case in GOLDEN.values() for what in case["counts"]} >= {
        Count.UNKNOWN_EVENT,
        Count.REPEAT,
        Count.NO_DECIDED_TIME,
        Count.ODD_FIELD,
    }
