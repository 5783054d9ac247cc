"""The readers that the documentation shows run as they are, over what processors wrote, and go on where they were."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.consumer.story import create, kambi_story, write
from tests.contracts.written import written

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/consuming"
MOST_LINES = 60
SETTLED = [record for record in written() if record.topic == "kambi.settlements"]


def run(name: str, *arguments: str) -> list[str]:
    """Return the lines that an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},  # this checkout, wherever else tricast is installed
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_is_short(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) < MOST_LINES


@pytest.mark.kafka
def test_odds_are_followed_with_a_word_where_they_are_in_doubt(kafka: str, topic_prefix: str):
    create(kafka, topic_prefix, "kambi.offers", "kambi.health")
    story = kambi_story(3, leave=True)
    odds = [record for record in story if record.topic == "kambi.offers"]
    write(kafka, topic_prefix, [record for record in story if record.topic == "kambi.health"][:4])
    write(kafka, topic_prefix, odds[:3])
    trusted = run("kambi_odds.py", kafka, topic_prefix, "3")
    assert [re.sub(r"^\S+ \S+ ", "", line) for line in trusted] == ["event 1 outcome 1: 1.5"] * len(trusted)
    assert trusted
    write(kafka, topic_prefix, [record for record in story if record.topic == "kambi.health"][4:])
    write(kafka, topic_prefix, odds[3:])
    [doubted] = run("kambi_odds.py", kafka, topic_prefix, "1")  # goes on behind the first three
    assert doubted.endswith(" event 1 outcome 1: 1.5  in doubt: down (closed)")


@pytest.mark.kafka
def test_settlements_are_stored_once_whatever_is_read_again(kafka: str, topic_prefix: str, tmp_path: Path):
    create(kafka, topic_prefix, "kambi.settlements")
    write(kafka, topic_prefix, SETTLED)
    file = tmp_path / "settled.sqlite"
    first = run("settlements_confluent.py", kafka, topic_prefix, str(file), "2")
    rest = run("settlements_confluent.py", kafka, topic_prefix, str(file), str(len(SETTLED) - 2))
    with sqlite3.connect(file) as database:
        stored = database.execute("SELECT outcome, status, id FROM settled").fetchall()
    assert sorted(record_id for _, _, record_id in stored) == sorted(record.stamps["ce_id"] for record in SETTLED)
    assert [f"outcome {outcome}: {status}" for outcome, status, _ in stored] == [*first, *rest]
