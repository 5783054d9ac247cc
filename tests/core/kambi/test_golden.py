"""Raw frame → normalized records, by files that people can read. The frames are the fact sheet's own samples."""

import json
from pathlib import Path
from typing import Any

import pytest

from processors.core.kambi.processor import KambiProcessor
from schemas.kambi.events import HEALTH, MODELS, STATE
from schemas.kambi.wire import ELEMENTS
from tests.core.driver import Driver

GOLDEN = {path.stem: json.loads(path.read_text()) for path in sorted(Path(__file__).parents[2].glob("golden/*.json"))}
RECEIVED_NS = 1_790_000_100_123_456_789


def run(frame: str) -> Driver:
    driver = Driver(KambiProcessor())
    driver.feed(frame.encode(), at_ns=RECEIVED_NS)
    return driver


@pytest.mark.parametrize("case", GOLDEN.values(), ids=GOLDEN.keys())
def test_frame_gives_exactly_these_records(case: dict[str, Any]):
    driver = run(case["frame"])
    assert [
        {
            "topic": output.topic,
            "key": output.key.decode(),
            "headers": {name: output.header(name) for name in ("ce_id", "ce_type", "ce_time")},
            "value": json.loads(output.value),
        }
        for output in driver.outputs
    ] == case["records"]
    assert [
        {"index": dead.index, "code": dead.code, "value": dead.value.decode()} for dead in driver.dead_letters
    ] == case["dead_letters"]


def test_headers_are_cloudevents_in_binary_mode():
    (output,) = run(GOLDEN["odds-changed"]["frame"]).outputs
    assert dict(output.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"tricast.kambi.raw/0/0/0",
        "ce_source": b"tricast/kambi/kambi-0-general",
        "ce_type": b"tricast.kambi.odds.changed.v1",
        "ce_time": b"2026-09-21T14:13:20.001Z",
        "ce_subject": b"1020000001",
        "content-type": b"application/json",
        "ce_dataschema": b"urn:tricast:schema:tricast.kambi.odds.changed.v1",
        "ce_tcreceived": b"1790000100123456789",
    }


def test_every_type_of_message_and_record_has_a_golden_file():
    types = {record["headers"]["ce_type"] for case in GOLDEN.values() for record in case["records"]}
    assert types == {model.ce_type for model in MODELS if model.topic not in {HEALTH, STATE}}
    messages = {child["mt"] for case in GOLDEN.values() for child in json.loads(json.loads(case["frame"][1:])[1])}
    assert messages >= ELEMENTS.keys()
