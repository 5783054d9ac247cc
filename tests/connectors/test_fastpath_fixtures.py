"""What lists of fixtures say, whatever shape they have; and where each sport has them."""

import pytest

from connectors.fastpath.fixtures import Fixture, read_fixture, read_page
from connectors.fastpath.paths import feeds_of, fixture_of, lists_of
from schemas.fastpath.feed import feed_of

A, B = "11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"


def entry(identity=A, **more):
    return {"id": identity, "status": "Live", "collectionStatus": "CollectingLive", "type": "Official", **more}


def live(identity=A):
    return Fixture(id=identity, life="live", type="official")


@pytest.mark.parametrize(
    ("document", "more"),
    [
        ([entry(A), entry(B)], None),
        ({"content": [entry(A), entry(B)], "last": True, "pageable": {"pageNumber": 0}}, None),
        ({"content": [entry(A), entry(B)], "last": False}, {"page": "1"}),
        ({"content": [entry(A), entry(B)], "totalPages": 2, "number": 0}, {"page": "1"}),
        ({"content": [entry(A), entry(B)], "totalPages": 1}, None),
        ({"content": [entry(A), entry(B)], "page": {"totalPages": 3}}, {"page": "1"}),
        ({"fixtures": [entry(A), entry(B)], "cursor": "abc=="}, {"cursor": "abc=="}),
        ({"fixtures": [entry(A), entry(B)], "nextCursor": None}, None),
        ({"fixtures": [entry(A), entry(B)], "pagination": {"nextCursor": "x"}}, {"cursor": "x"}),
        ({"soccerFixtures": [entry(A), entry(B)], "cursor": ""}, None),
        ({"content": [entry(A), entry(B)], "sort": [], "errors": []}, None),
    ],
    ids=[
        "array",
        "last",
        "not-last",
        "of-two",
        "of-one",
        "page-facts",
        "cursor",
        "no-cursor",
        "paging",
        "named",
        "many",
    ],
)
def test_every_shape_of_a_list_is_read(document, more):
    page = read_page(document, sport="soccer", number=0)
    assert page is not None
    assert page.fixtures == (live(A), live(B))
    assert (page.unreadable, page.more) == (0, more)


@pytest.mark.parametrize(
    ("entries", "more"), [(19, None), (20, {"page": "3"}), (100, {"page": "3"}), (150, {"page": "3"})]
)
def test_a_bare_array_of_a_pages_size_may_have_a_next_page(entries, more):
    page = read_page([entry(f"f{number}") for number in range(entries)], sport="soccer", number=2)
    assert page is not None
    assert page.more == more


@pytest.mark.parametrize("document", [{}, {"a": [], "b": []}, {"message": "hello"}, {"content": {}}, "text", 7, None])
def test_what_is_no_list_is_none(document):
    assert read_page(document, sport="soccer", number=0) is None


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "text",
        [],
        {},
        {"id": None},
        {"id": True},
        {"id": 1.5},
        {"id": 0},
        {"id": ""},
        {"id": "../../tennis"},
        {"id": "a/b"},
        {"id": "a?b=c"},
        {"id": "a@b"},
        {"id": "a b"},
        {"id": "x" * 101},
        {"id": {"value": A}},
    ],
)
def test_an_entry_that_names_no_fixture_is_left_out_alone(odd):
    page = read_page([entry(A), odd, entry(B)], sport="soccer", number=0)
    assert page is not None
    assert page.fixtures == (live(A), live(B))
    assert page.unreadable == 1


@pytest.mark.parametrize(
    ("facts", "life"),
    [
        ({}, "live"),
        ({"status": 1, "collectionStatus": 1}, "live"),
        ({"status": "LIVE"}, "live"),
        ({"status": "in play"}, "live"),
        ({"status": None, "collectionStatus": None}, "live"),
        ({"status": True}, "live"),
        ({"status": 99}, "live"),
        ({"status": {"name": "Live"}}, "live"),
        ({"status": "Suspended", "collectionStatus": "CollectionSuspended"}, "live"),
        ({"status": 7}, "live"),
        ({"status": "Scheduled"}, "quiet"),
        ({"status": 0}, "quiet"),
        ({"collectionStatus": "CollectionDropped"}, "quiet"),
        ({"collectionStatus": "Collection Dropped"}, "quiet"),
        ({"collectionStatus": 4}, "quiet"),
        ({"collectionStatus": "PostMatchChecked"}, "quiet"),
        ({"status": "Completed"}, "ended"),
        ({"status": "completed"}, "ended"),
        ({"status": 2}, "ended"),
        ({"status": "Postponed"}, "ended"),
        ({"status": "Abandoned"}, "ended"),
        ({"status": "Cancelled"}, "ended"),
        ({"status": "Finished"}, "ended"),
        ({"fixtureDeleted": True}, "ended"),
        ({"fixtureDeleted": "true"}, "live"),
    ],
)
def test_a_fixtures_life_is_read_from_words_and_positions(facts, life):
    assert read_fixture(entry(**facts), sport="soccer") == Fixture(id=A, life=life, type="official")


@pytest.mark.parametrize(
    ("given", "read"),
    [("Official", "official"), (2, "simulation"), (None, ""), (0, ""), ("Friendly!", "friendly"), ([], "")],
)
def test_a_fixtures_type(given, read):
    fixture = read_fixture(entry(type=given), sport="soccer")
    assert fixture is not None
    assert fixture.type == read


def test_tennis_names_events_and_may_nest_them_in_tournaments():
    event = {"eventId": "2026-0415-MS009", "status": "InProgress", "competitionId": "2026-0415"}
    nested = [
        {"identifier": 11904, "events": [event, {"eventId": 7}]},
        {"eventId": "2026-0415-MS010", "status": "Finished"},
    ]
    page = read_page(nested, sport="tennis", number=0)
    assert page is not None
    assert [(fixture.id, fixture.life) for fixture in page.fixtures] == [
        ("2026-0415-MS009", "live"),
        ("7", "live"),
        ("2026-0415-MS010", "ended"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"tournamentId": 901, "roundNo": 1, "teamNo": 21},
        {"id": "901", "round": 1, "team": "21"},
        {"eventId": "901-1-21"},
        {"id": "901-1-21", "status": "Live"},
    ],
)
def test_golf_names_tournament_round_and_team(given):
    fixture = read_fixture(given, sport="golf")
    assert fixture is not None
    assert feeds_of("golf", fixture.id, kinds=("actions", "statistics"), media=True) == (
        "media/golf/tournaments/901/round/1/team/21",
    )


@pytest.mark.parametrize(
    "given", [{"id": 901}, {"id": 901, "roundNo": 1}, {"id": "901-1"}, {"roundNo": 1, "teamNo": 2}]
)
def test_a_golf_entry_without_round_and_team_leads_to_no_feed(given):
    assert read_fixture(given, sport="golf") is None


@pytest.mark.parametrize(
    ("sport", "lists", "feeds"),
    [
        ("soccer", "soccer/fixtures", ("soccer/fixtures/x/actions", "soccer/fixtures/x/statistics")),
        (
            "volleyball",
            "v2/volleyball/fixtures",
            ("v2/volleyball/fixtures/x/actions", "v2/volleyball/fixtures/x/statistics"),
        ),
        (
            "v2/volleyball",
            "v2/volleyball/fixtures",
            ("v2/volleyball/fixtures/x/actions", "v2/volleyball/fixtures/x/statistics"),
        ),
        ("tennis", "tournaments/liveevents", ("tennis/events/x/stream", "tennis/events/x/statistics")),
        ("tabletennis", "tabletennis/fixtures", ("tabletennis/x/matchdetails",)),
        ("mma", "mma/fixtures", ("mma/fights/x/details", "mma/fights/x/livestats")),
    ],
)
def test_every_sport_has_its_paths_and_each_is_known_as_a_feed(sport, lists, feeds):
    assert lists_of(sport)[0] == lists
    assert feeds_of(sport, "x", kinds=("actions", "statistics", "actions"), media=False) == feeds
    for path, kind in zip(feeds, ("actions", "statistics"), strict=False):
        assert (feed_of(path).kind, feed_of(path).fixture) == (kind, "x")


@pytest.mark.parametrize(
    ("feed", "place"),
    [
        ("soccer/fixtures/x/actions", "soccer/fixtures/x"),
        ("media/soccer/fixtures/x/statistics", "soccer/fixtures/x"),
        ("v2/volleyball/fixtures/x/actions", "v2/volleyball/fixtures/x"),
        ("tennis/events/x/stream", None),
        ("multiplexer/?sport=golf", None),
    ],
)
def test_where_a_fixture_tells_its_status(feed, place):
    assert fixture_of(feed) == place
