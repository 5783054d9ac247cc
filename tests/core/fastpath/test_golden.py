"""Frame → packet → record, by files that people can read. The frames are the fact sheet's own samples."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from processors.core.fastpath.packet import Packet
from schemas.fastpath.actions import Action, EventElement
from schemas.fastpath.codes import Count
from schemas.fastpath.statistics import Statistics
from tests.core.fastpath.golden import shown

GOLDEN = {
    path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parents[2].glob("golden/fastpath/*.json"))
}


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN.keys())
def test_frame_is_exactly_this_packet_and_this_record(case: dict[str, Any]):
    assert {"note": case["note"], "feed": case["feed"], "frame": case["frame"]} | shown(
        case["frame"].encode(), case["feed"]
    ) == case


def test_every_packet_and_every_record_of_one_has_a_golden_file():
    assert {name for case in GOLDEN.values() for name in case["packet"]} == {kind.__name__ for kind in get_args(Packet)}
    records = {case["ce_type"] for case in GOLDEN.values() if "record" in case}
    assert records == {model.ce_type for model in (Action, EventElement, Statistics)}


def test_everything_that_is_counted_of_a_packet_has_a_golden_file():
    seen = {what for case in GOLDEN.values() for packet in case["packet"].values() for what in packet.get("counts", ())}
    assert seen == {
        Count.NO_VENDOR_TIME,
        Count.TYPE_ID_DISAGREES,
        Count.UNKNOWN_SEND_TYPE,
        Count.MISPLACED,
        Count.UNORDERED,
        Count.OTHER_FIXTURE,
    }
