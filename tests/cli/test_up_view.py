"""What ``tricast up`` shows in terminals of different sizes, of pictures made by hand."""

import io
import random

import pytest
from msgspec.structs import replace
from rich.console import Console

from tests.web import pictures
from tricast.stack.backoff import Backoff
from tricast.stack.child import ChildSpec
from tricast.stack.fastpath_news import FastpathNews
from tricast.stack.few import Fitting
from tricast.stack.kambi_news import KambiNews, OddsChange
from tricast.stack.live import View
from tricast.stack.rms_news import RmsNews
from tricast.stack.supervisor import State, Supervised


def child(name, state: State = "running", starts=1):
    supervised = Supervised(ChildSpec(name=name, command=[]), Backoff(first_s=1, cap_s=1), random.Random(0))
    supervised.state, supervised.starts = state, starts
    return supervised


def shown(width, height, *, children=(), picture=None, is_starting=False):
    kambi = KambiNews()
    for number in range(20):
        change = OddsChange(
            time_ms=number,
            event=f"event {number}",
            offer_id=1,
            outcome_id=number,
            before_thousandths=None,
            odds_thousandths=1500,
        )
        kambi.changes.appendleft(change)
    picture = picture or pictures.degraded()
    view = View(
        title="tricast up · http://127.0.0.1:8642/",
        children=[*(child(f"work {number}") for number in range(10)), *children],
        topics=[topic.name for topic in picture.topics if topic.kind != "changelog"],
        picture=picture,
        kambi=kambi,
        fastpath=FastpathNews(),
        rms=RmsNews(),
        is_starting=is_starting,
    )
    terminal = io.StringIO()
    console = Console(file=terminal, width=width, height=height, force_terminal=True, color_system=None)
    console.print(Fitting(view))
    return terminal.getvalue().splitlines()


@pytest.mark.parametrize("picture", [pictures.healthy(), pictures.degraded()], ids=["healthy", "degraded"])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (100, 30), (200, 30), (120, 56)])
def test_a_small_terminal_cuts_nothing_off(width, height, picture):
    lines = shown(width, height, picture=picture, children=[child("work kambi", "waiting", 3)])
    assert len(lines) <= height - 1
    text = "\n".join(lines)
    for said in (
        "http://127.0.0.1:8642/",
        picture.state,
        "10 of 11 processes run; work kambi waiting",
        "events:",
        "bets:",
    ):
        assert said in text
    assert ("event 19 " in text) == (height > 24 or picture == pictures.healthy()), "the newest change"


def test_while_it_starts_nothing_is_called_degraded_and_what_is_well_is_said():
    assert shown(120, 56, is_starting=True)[1].strip() == "starting"
    assert shown(120, 56, is_starting=True, picture=pictures.healthy())[1].strip() == "healthy"


def test_a_large_one_has_all_tables():
    text = "\n".join(shown(200, 60))
    assert "work 9" in text
    assert "event 12 " in text
    for line in pictures.degraded().lines:
        assert line.name in text


def test_without_a_single_topic_there_is_a_view():
    picture = replace(pictures.healthy(), topics=(), lines=(), groups=(), counts=(), edges=())
    assert "10 of 10 processes run" in "\n".join(shown(80, 24, picture=picture))
