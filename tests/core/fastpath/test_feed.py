"""What the path of a feed tells."""

import pytest

from schemas.fastpath.feed import Feed, feed_of


def family_a(path: str, sport: str, kind: str = "actions") -> Feed:
    return Feed(path=path, sport=sport, family="a", kind=kind, fixture="f-1", position="events")  # type: ignore[arg-type]  # the kind is a word of the table below


def golf(path: str, kind: str, fixture: str) -> Feed:
    return Feed(path=path, sport="golf", family="b", kind=kind, fixture=fixture, position=None, heartbeat_s=20)  # type: ignore[arg-type]  # likewise


def fight(path: str, kind: str = "actions") -> Feed:
    return Feed(path=path, sport="mma", family="b", kind=kind, fixture="47", position="sequence")  # type: ignore[arg-type]  # likewise


FEEDS = [
    family_a("soccer/fixtures/f-1/actions", "soccer"),
    family_a("media/ice-hockey/fixtures/f-1/actions", "ice-hockey"),
    family_a("v2/volleyball/fixtures/f-1/actions", "volleyball"),
    family_a("media/v2/tabletennis/fixtures/f-1/actions", "tabletennis"),
    family_a("basketball/fixtures/f-1/statistics", "basketball", "statistics"),
    family_a("media/basketball/fixtures/f-1/statistics", "basketball", "statistics"),
    family_a("soccer/fixtures/f-1/actions?speed=fast", "soccer"),
    Feed(
        path="tennis/events/2026-0415-MS009/stream",
        sport="tennis",
        family="b",
        kind="actions",
        fixture="2026-0415-MS009",
        position="sequence",
        first_number=0,
    ),
    Feed(
        path="tennis/events/2026-0415-MS009/statistics",
        sport="tennis",
        family="b",
        kind="statistics",
        fixture="2026-0415-MS009",
        position=None,
    ),
    fight("mma/fights/47/details"),
    fight("mma/fights/47/actions"),
    fight("mma/fights/47/livestats", "statistics"),
    fight("media/mma/fights/47/details"),
    fight("media/mma/fight-details/feed/47"),
    fight("media/mma/fight-actions/feed/47"),
    fight("media/mma/fight-livestats/feed/47", "statistics"),
    golf("golf/tournaments/901/round/1/team/21", "actions", "901-1-21"),
    golf("media/golf/tournaments/901/round/1/team/21", "actions", "901-1-21"),
    golf("golf/tournaments/901/leaderboard", "statistics", "901/leaderboard"),
    golf("golf/tournaments/901/teamholebyhole/21", "statistics", "901/teamholebyhole/21"),
    golf("golf/tournaments/901/stats/putting", "statistics", "901/stats/putting"),
    golf("multiplexer/?sport=golf", "mixed", "golf"),
    golf("multiplexer/?catchup=true", "mixed", "golf"),
    golf("multiplexer", "mixed", "golf"),
    Feed(
        path="tabletennis/5512/matchdetails",
        sport="tabletennis",
        family="b",
        kind="actions",
        fixture="5512",
        position="sequence",
    ),
    *(
        Feed(path=path, sport="", family="unknown", kind="mixed", fixture=path, position=None)
        for path in ("soccer/fixtures/f-1/weather", "soccer/fixtures//actions", "curling/ends/7", "", "tennis/events/x")
    ),
]


@pytest.mark.parametrize("feed", FEEDS, ids=[feed.path or "(empty)" for feed in FEEDS])
def test_path_of_the_sheet(feed: Feed):
    assert feed_of(feed.path) == feed


@pytest.mark.parametrize("path", ["/soccer/fixtures/f-1/actions", "soccer/fixtures/f-1/actions/"])
def test_slashes_around_a_path_name_no_other_feed(path: str):
    assert feed_of(path) == feed_of("soccer/fixtures/f-1/actions")


def test_the_slash_before_a_query_stays():
    assert feed_of("/multiplexer/?sport=golf").path == "multiplexer/?sport=golf"
