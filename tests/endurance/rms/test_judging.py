"""The judges of the long runs notice what they are there for."""

from pathlib import Path

import pytest

from tests.endurance.rms.planted import in_files, in_text
from tests.endurance.rms.truth import Bet, differences
from tests.integration.rms.limits import MINUTE_NS, most_within

S = 1_000_000_000
PLACE = ("90210", "s-1")


def bet(*said: tuple[str, float], disposition: str = "referred") -> Bet:
    return Bet("c-1", disposition, 100 * S, [(outcome, int(at_s * S), 1) for outcome, at_s in said])


def decision(outcome: str, why: str | None = None) -> dict[str, object]:
    return {"outcome": outcome, "evidence": "approval", "why": why, "deadline_ns": 160 * S}


GAP = [(120 * S, 130 * S)]
RIGHT = {
    "as it was said": (bet(("accept", 110)), [decision("accepted")], []),
    "nobody said anything": (bet(), [decision("expired")], []),
    "said too late": (bet(("reject", 170)), [decision("expired")], []),
    "unverified in a gap": (bet(("accept", 125)), [decision("expired_unverified", "feed-down")], GAP),
    "accepted at once, and looked up": (bet(disposition="accepted"), [decision("accepted")], []),
}
WRONG = {
    "no outcome": (bet(("accept", 110)), [], []),
    "two outcomes": (bet(("accept", 110)), [decision("accepted"), decision("accepted")], []),
    "the opposite": (bet(("accept", 110)), [decision("rejected")], []),
    "the second word": (bet(("accept", 110), ("reject", 120)), [decision("rejected")], []),
    "nobody said so": (bet(), [decision("accepted")], []),
    "said in time": (bet(("accept", 110)), [decision("expired")], []),
    "unverified without a gap": (bet(("accept", 110)), [decision("expired_unverified", "feed-down")], []),
    "unverified in a gap of another time": (
        bet(("accept", 110)),
        [decision("expired_unverified", "feed-down")],
        [(161 * S, 170 * S)],
    ),
    "no outcome at all": (bet(), [decision("perhaps")], []),
}


@pytest.mark.parametrize(("truth", "found", "gaps"), RIGHT.values(), ids=RIGHT.keys())
def test_what_is_right_passes(truth, found, gaps):
    assert differences({PLACE: truth}, {PLACE: "referred"}, {PLACE: found}, gaps) == []


@pytest.mark.parametrize(("truth", "found", "gaps"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named(truth, found, gaps):
    assert differences({PLACE: truth}, {PLACE: "referred"}, {PLACE: found}, gaps) != []


def test_an_outcome_of_a_bet_that_nobody_wrote_is_named():
    assert differences({}, {}, {PLACE: [decision("accepted")]}, []) != []


def test_a_secret_in_a_file_or_a_text_is_found(tmp_path: Path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "one.log").write_text("nothing\nBearer planted-1234 was sent\n")
    (tmp_path / "secret").write_text("planted-1234")
    (tmp_path / "empty").touch()
    found = list(in_files(["planted-1234"], tmp_path, but=[tmp_path / "secret"]))
    assert found == ["file logs/one.log holds a secret"]
    assert list(in_text(["planted-1234", "other"], "status", "x planted-1234 y")) == ["status shows a secret (plan…)"]


@pytest.mark.parametrize(("times_s", "most"), [([], 0), ([0, 59.9, 60], 2), ([0, 1, 2, 61], 3), ([5, 3, 4], 3)])
def test_most_within_a_minute(times_s, most):
    assert most_within([int(at_s * S) for at_s in times_s], MINUTE_NS) == most
