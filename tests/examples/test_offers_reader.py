"""The Java reader of ``kambi.offers``: content with what the product writes, and with nothing else."""

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.export import FOLDER
from tests.consumer.story import create, kambi_story, write
from tests.core.driver import Output
from tests.examples import java
from tests.examples.offers_reader import MAIN, class_path

OFFERS = "kambi.offers"
STORY = [record for record in kambi_story(8, events=(1, 2, 3, 5)) if record.topic == OFFERS]

pytestmark = [pytest.mark.java, pytest.mark.kafka]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> tuple[Path, ...]:
    """The class path of the compiled example."""
    with java.needs_network():
        return class_path(tmp_path_factory.mktemp("offers-reader"), compiler_cache=java.kept(pytestconfig))


def test_it_is_content_with_what_the_product_writes(kafka: str, topic_prefix: str, reader: tuple[Path, ...]):
    create(kafka, topic_prefix, OFFERS)
    write(kafka, topic_prefix, STORY[:9])
    write(kafka, topic_prefix, STORY, abort=True)  # doubles all, were they read
    write(kafka, topic_prefix, STORY[9:])
    write(kafka, topic_prefix, [below(STORY[-1])])
    counts = json.loads(java.run_java(MAIN, kafka, topic_prefix, "0", str(FOLDER), class_path=reader))
    assert counts == {
        "seconds": 0,
        "records": len(STORY) + 1,
        "keys": 4,
        "late": 0,
        "types": {"tricast.kambi.offer.added.v1": 4, "tricast.kambi.odds.changed.v1": len(STORY) - 3},
    }


def below(record: Output) -> Output:
    """Return one more that the same fact causes: its id lies below the other's."""
    others = tuple(header for header in record.headers if header[0] != "ce_id")
    return replace(record, headers=(*others, ("ce_id", f"{record.header('ce_id')}/0".encode())))


def double(records: list[Output]) -> list[Output]:
    return [*records, records[7]]


def swapped(records: list[Output]) -> list[Output]:
    """Two records of one key change places."""
    first, second = [number for number, record in enumerate(records) if record.key == b"2"][3:5]
    records[first], records[second] = records[second], records[first]
    return records


def other_data(records: list[Output]) -> list[Output]:
    return changed(records, value=records[9].value.replace(b'"event_id":', b'"event":'))  # type: ignore[union-attr]


def no_id(records: list[Output]) -> list[Output]:
    return changed(records, headers=tuple(header for header in records[9].headers if header[0] != "ce_id"))


def changed(records: list[Output], **how: object) -> list[Output]:
    return [*records[:9], replace(records[9], **how), *records[10:]]  # type: ignore[arg-type]


PLANTS = {
    double: "a double: ce_id",
    swapped: "out of order: key 2 has",
    other_data: "breaks its schema",
    no_id: "no CloudEvent",
}


def test_it_names_what_is_not_as_promised(kafka: str, topic_prefix: str, reader: tuple[Path, ...]):
    def read(plant: Callable[[list[Output]], list[Output]]) -> subprocess.CompletedProcess[str]:
        prefix = f"{topic_prefix}{plant.__name__}."
        create(kafka, prefix, OFFERS)
        write(kafka, prefix, plant([*STORY]))
        return java.try_java(MAIN, kafka, prefix, "30", str(FOLDER), class_path=reader)

    with ThreadPoolExecutor() as pool:  # they mostly wait for Java to start
        for named, done in zip(PLANTS.values(), pool.map(read, PLANTS), strict=True):
            assert (done.returncode, named in done.stderr) == (1, True), done.stdout + done.stderr
