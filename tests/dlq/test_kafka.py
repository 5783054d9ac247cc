"""`tricast dlq` as a person uses it: a real Kafka, a real worker with a bug that is mended."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.kambi.frames import frame
from tests.core.kambi.tasks import OFFER, ONE, START_MS, odds
from tests.dlq.deployment import DEAD, OFFERS, RAW, Deployment, header
from tricast.cli.main import run

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]
Tricast = Callable[..., tuple[int, Any]]


@pytest.fixture
def deployment(kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    made = Deployment(kafka, topic_prefix, tmp_path)
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    yield made
    made.kill()


@pytest.fixture
def tricast(capsys: pytest.CaptureFixture[str]) -> Tricast:
    def command(*arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        code = run(["dlq", *arguments])
        out = capsys.readouterr().out
        return code, json.loads(out) if "--json" in arguments else out

    return command


def test_dead_letters_of_a_mended_bug_are_replayed_once(deployment: Deployment, tricast: Tricast):
    number = 5
    deployment.start()
    deployment.prices(number)
    deployment.write(frame(odds(START_MS + 11, (ONE, None)), '{"mt":NaN}'))
    deployment.until(DEAD, lambda letters: len(letters) == number + 1)
    raw = deployment.prefix + RAW

    code, listed = tricast("list", "--feed", "kambi", "--json")
    assert (code, listed["counts"]) == (0, {"processor-error": number + 1})
    first = min(listed["letters"], key=lambda letter: letter["position"])["position"]
    assert tricast("show", first.removeprefix(deployment.prefix))[0] == 0
    nowhere = f"{deployment.prefix}{DEAD}/0/99999"
    assert tricast("show", nowhere)[0] == 1
    code, plan = tricast("replay", first, nowhere, "--dry-run", "--json")
    assert (code, plan["missing"]) == (1, [nowhere])
    assert [one["letter"] for one in plan["would"]] == [first]

    deployment.bug.unlink()
    deployment.write(frame(odds(START_MS + 50, (ONE + 1, 1700), offer=OFFER + 1)))
    before = len(deployment.until(OFFERS, lambda offers: len(offers) == number + 1))
    code, tried = tricast("replay", "--feed", "kambi", "--limit", str(number), "--dry-run", "--json")
    would = [(len(one["records"]), [refusal["code"] for refusal in one["refused"]]) for one in tried["would"]]
    refused = [one for one in would if one[1]]
    assert (code, len(would), refused) == (1, number, [(0, ["kambi.replay-refused"])])
    assert len(deployment.read(OFFERS)) == before, "a dry run writes nothing"

    code, asked = tricast("replay", "--feed", "kambi", "--limit", str(number), "--yes", "--json")
    assert (code, len(asked["asked"]), asked["left"]) == (0, number, 1)
    offers = deployment.until(OFFERS, lambda offers: len(offers) == before + number - 1)
    replayed = {
        header(offer, "ce_id"): header(offer, "ce_replayed") for offer in offers if header(offer, "ce_replayed")
    }
    assert replayed == {f"{one['source']}/0": one["request"] for one in asked["asked"] if one["source"] != f"{raw}/0/2"}
    assert max(Counter(header(offer, "ce_id") for offer in offers).values()) == 1

    code, _ = tricast("replay", "--code", "processor-error", "--feed", "kambi", "--limit", "1", "--yes", "--json")
    assert code == 0
    letters = deployment.until(DEAD, lambda letters: len(letters) == number + 3)
    refusals = [
        header(letter, "tc-detail") for letter in letters if header(letter, "tc-code") == "kambi.replay-refused"
    ]
    assert sum("was replayed before" in refusal for refusal in refusals) == 1
    assert sum(f"something of {START_MS + 50} is out" in refusal for refusal in refusals) == 1
    assert len(deployment.read(OFFERS)) == len(offers)

    code, final = tricast("replay", "--code", "kambi.replay-refused", "--feed", "kambi", "--yes", "--json")
    assert (code, final["asked"]) == (1, [])
    assert {one["why"] for one in final["refused"]} == {"it was refused as a replay"}
