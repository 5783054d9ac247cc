"""What the documentation shows of writing bets is true: examples satisfy the contract, producers run as they are."""

import json
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from processors.core.rms.bets.processor import RmsBets
from schemas.rms.codes import Code
from schemas.rms.pending import Alias, Answered, AnyMessage, Placed, decode
from schemas.topics import TOPICS
from tests.connectors import raw_topic
from tests.core.driver import Driver, Record
from tests.examples import java
from tricast.kafka.layout import default_cache_dir

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/rms"
TEXT = (ROOT / "docs/rms.md").read_text(encoding="utf-8").partition("\n## Writing bets\n")[2]
CODE = "k3v9q7a1z-m4n8p2x6c0"


def shown() -> list[str]:
    return re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)


def routed(records: list[raw_topic.Raw]) -> list[AnyMessage]:
    """Return what the router makes of records; none may be odd."""
    router = Driver(RmsBets())
    for record in records:
        router.feed_record(
            Record(
                offset=router.offset,
                value=record.value,
                headers=(),
                timestamp=record.timestamp_ms,
                key=record.key,
            )
        )
    assert not router.dead_letters
    assert not router.counts
    return [decode(output.value) for output in router.outputs]


def test_the_records_shown_satisfy_their_schemas_and_the_router():
    texts = shown()
    kinds = [json.loads(text)["type"] for text in texts]
    assert kinds == ["placed", "answered"]
    for kind, text in zip(kinds, texts, strict=True):
        schema = json.loads((ROOT / f"schemas/json/tricast.rms.bet.{kind}.v1.json").read_text(encoding="utf-8"))
        Draft202012Validator(schema).validate(json.loads(text))
    at_ms = 1_772_445_844_000  # just after the times shown
    records = [
        raw_topic.Raw(0, offset, at_ms, b"90210/" + json.loads(text)["bet_slip_id"].encode(), text.encode(), {})
        for offset, text in enumerate(texts)
    ]
    placed, answered, alias = routed(records)
    check(placed, answered, alias)


def test_every_code_of_the_router_is_explained():
    told = set(re.findall(r"`(rms\.[a-z0-9-]+)`", TEXT))
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "processors/core/rms/bets").glob("*.py"))
    used = {str(Code[name]) for name in re.findall(r"Code\.([A-Z_]+)", source)}
    used |= {
        str(code) for code in (Code.NOT_JSON, Code.BAD_UTF8, Code.TOO_DEEP, Code.DUPLICATE_KEY, Code.NOT_AN_OBJECT)
    }
    assert used == {code for code in told if code in set(Code)}


@pytest.mark.kafka
def test_the_python_producer_runs_as_it_is(kafka: str, topic_prefix: str):
    topic = raw_topic.create(kafka, topic_prefix, name="rms.bets")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "bet_producer.py"), kafka, topic_prefix, "90210"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    wrote_a_bet(kafka, topic, done.stdout)


@pytest.mark.java
@pytest.mark.kafka
def test_the_java_producer_compiles_and_runs_as_it_is(
    kafka: str, topic_prefix: str, tmp_path: Path, pytestconfig: pytest.Config
):
    topic = raw_topic.create(kafka, topic_prefix, name="rms.bets")
    with java.needs_network():
        ecj = java.compiler(java.kept(pytestconfig))
    jars = java.client_jars(default_cache_dir())
    java.compile_java(EXAMPLES / "BetProducer.java", ecj=ecj, class_path=jars, to=tmp_path)
    printed = java.run_java("BetProducer", kafka, topic_prefix, "90210", class_path=(tmp_path, *jars))
    wrote_a_bet(kafka, topic, printed)


def wrote_a_bet(kafka: str, topic: str, printed: str) -> None:
    """Check both records: where they were said to be, in one partition, and understood."""
    partitions = range(TOPICS["rms.bets"].partitions)
    records = list(chain.from_iterable(raw_topic.read(kafka, topic, partition=number) for number in partitions))
    assert [f"{topic}/{record.partition}/{record.offset}" for record in records] == printed.split()
    placed, answered, alias = routed(records)
    check(placed, answered, alias)
    assert records[0].key == f"90210/{placed.slip}".encode()  # type: ignore[union-attr]


def check(placed: AnyMessage, answered: AnyMessage, alias: AnyMessage) -> None:
    assert isinstance(placed, Placed)
    assert isinstance(answered, Answered)
    assert isinstance(alias, Alias)
    assert (placed.context, placed.stake, placed.odds) == ("prematch", "250", ("1.95",))
    assert (answered.disposition, answered.code, alias.code) == ("referred", CODE, CODE)
    assert placed.slip == answered.slip == alias.slip
    assert placed.placed_ns <= answered.answered_ns
