"""Packets of family B keep the sheet's rules, sport by sport."""

import re
from functools import partial

import pytest

from simulators.fastpath.channel import StatusPacket
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.match import Role
from simulators.fastpath.world import World
from tests.simulators.fastpath_sheet import found, parse, stamp_ns

START_NS = 1_790_000_000_000_000_000
STEP_NS = 100_000_000
S = 1_000_000_000


def played(sport, seconds, *, faults=None, **settings):
    """Return a world in which ``seconds`` have passed."""
    world = World(
        FastpathSimulatorSettings(
            **({"fixtures": {sport: 1}, "actions_per_second": 10, "match_duration_s": 60} | settings)
        ),
        FaultSwitch(faults or FastpathFaultSettings()),
        START_NS,
    )
    for step in range(1, int(seconds * 10) + 1):
        world.advance(START_NS + step * STEP_NS, STEP_NS)
    return world


def packets(world, role: Role):
    """Return the parsed packets of the fixtures that have begun, each fixture a list."""
    channels = [found(world, fixture.paths[role]) for fixture in world.fixtures]
    return [[parse(packet.text(packet.number)) for packet in channel.events] for channel in channels if channel.started]


def types(matches):
    return {body.get("eventElementType") for match in matches for body in match}


@pytest.mark.parametrize(("sport", "first"), [("tennis", 0), ("mma", 1), ("golf", 1), ("tabletennis", 1)])
def test_numbers_and_stamps(sport, first):
    matches = packets(played(sport, 150), "actions")
    assert len(matches) >= 2
    for match in matches:
        assert [body["seqNum"] for body in match] == list(range(first, first + len(match)))
        last_ns = 0
        for body in match:
            assert type(body["seqNum"]) is int
            assert type(body["eventElementType"]) is str
            assert not {"fixtureId", "fixtureAction", "traceId", "delayStatus"} & set(body)
            if "timestamp" in body:
                at_ns = stamp_ns(body["timestamp"], 3)
                assert at_ns >= last_ns
                last_ns = at_ns


def test_tennis_has_its_placeholder_long_before_the_match():
    world = played("tennis", 1)
    coming = [fixture for fixture in world.fixtures if fixture.status == "Scheduled"]
    (fixture,) = coming
    channel = found(world, fixture.paths["actions"])
    assert not channel.started
    (packet,) = channel.events
    body = parse(packet.text(packet.number))
    assert body["seqNum"] == 0
    assert body["timestamp"] == "1970-01-01T00:00:00.000Z"
    assert body["courtNum"] == -1
    assert body["matchStatus"] == {"matchState": {"state": "NotStarted"}, "numSets": -1}


def test_tennis_points():
    matches = packets(played("tennis", 150), "actions")
    assert types(matches) == {"MatchStatusUpdate", "PointStarted", "PointFault", "PointScored"}
    for body in matches[0]:
        assert re.fullmatch(r"\d\d:\d\d:\d\d", body["matchTime"])
        if body["eventElementType"] == "PointScored":
            game = body["score"]["currentGameScore"]
            assert {game["pointsA"], game["pointsB"]} <= {"0", "15", "30", "40", "Adv"}
            assert body["details"]["scoredBy"] in {"TeamA", "TeamB"}
            assert body["server"]["team"] in {"TeamA", "TeamB"}
    (statistics, *_) = packets(played("tennis", 150), "statistics")
    assert all("1stServe%" in body["teamA"] and "eventElementType" not in body for body in statistics)


def test_tennis_tells_a_loss_by_alarms_and_then_delayed_points():
    world = played(
        "tennis", 130, faults=FastpathFaultSettings(silence_every_s=100, silence_for_s=60), match_duration_s=600
    )
    (channel,) = [found(world, fixture.paths["actions"]) for fixture in world.fixtures if fixture.status == "Live"]
    assert channel.status is None
    bodies = [parse(packet.text(packet.number)) for packet in channel.events]
    assert [body["seqNum"] for body in bodies] == list(range(len(bodies)))
    alarms = [(n, body) for n, body in enumerate(bodies) if body["eventElementType"] == "Alarm"]
    first, last = alarms[0][0], alarms[-1][0]
    assert last - first == len(alarms) - 1 == 1  # nothing between them
    times_ns = [stamp_ns(body["timestamp"], 3) for _, body in alarms]
    assert times_ns[1] - times_ns[0] == 25 * S
    before = bodies[first - 1]
    assert [body["lastReceivedTimestamp"] for _, body in alarms] == [before["timestamp"]] * 2
    assert times_ns[0] - stamp_ns(before["timestamp"], 3) >= 25 * S
    delayed = [body for body in bodies if body.get("delayStatus")]
    assert bodies[last + 1 : last + 1 + len(delayed)] == delayed
    assert len(delayed) > 100
    assert {body["delayStatus"] for body in delayed} <= {"DELAYED", "RECONSTRUCTED"}
    assert stamp_ns(delayed[0]["timestamp"], 3) < times_ns[0]


def test_mma_fights():
    matches = packets(played("mma", 300, actions_per_second=20), "actions")
    assert {"TakedownAttempt", "Undo", "Insertion", "Knockdown"} <= types(matches)
    for match in matches:
        attempts = {"Red": 0, "Blue": 0}
        by_number = {}
        for body in match:
            by_number[body["seqNum"]] = body
            rounds = body.get("stats", {}).get("round", {})
            assert all(type(key) is str and key.isdigit() for key in rounds)
            match body["eventElementType"]:
                case "TakedownAttempt":
                    attempts[body["fighter"]] += 1
                    assert re.fullmatch(r"\d:[0-5]\d", body["roundTime"])
                case "Insertion" if body["eventInserted"]["eventElementType"] == "TakedownAttempt":
                    attempts[body["eventInserted"]["fighter"]] += 1
                case "Undo":
                    undone = by_number[body["eventUndoneIdentifier"]["seqNum"]]
                    assert undone["fighter"] in attempts
                    attempts[undone["fighter"]] -= undone["eventElementType"] == "TakedownAttempt"
                case "FightStatusUpdate":
                    assert [fighter["nickName"] for fighter in body["fighters"]] == [None, None]
            if "stats" in body:
                fight = body["stats"]["fight"]
                assert {side.capitalize(): fight[side]["takedownAttempt"] for side in fight} == attempts
    livestats = packets(played("mma", 100), "statistics")
    assert all({"seqNum", "timestamp", "stats"} == set(body) for match in livestats for body in match)


def test_golf_rounds():
    matches = packets(played("golf", 200, actions_per_second=40), "actions")
    assert {
        "RoundStatusUpdate", "AddressingBall", "HitBall", "ApproximateLie", "DetailedLie", "BallHoled", "BallDrop",
        "Penalty", "Correction", "HoleScoreUpdate", "ModeChange",
    } == types(matches)  # fmt: skip
    for number, match in enumerate(matches):
        for body in match:
            if body["eventElementType"] == "ModeChange":
                assert set(body) == {"eventElementType", "mode", "seqNum"}
                continue
            assert stamp_ns(body["timestampReceived"], 3) >= stamp_ns(body["timestamp"], 3)
            assert type(body["courseId"]) is str
            assert ("groupId" in body) == ("roundNo" in body) == (number % 2 == 0)
            assert body["playerId"] in {70, "123"}
    assert {body["playerId"] for match in matches for body in match if "playerId" in body} == {70, "123"}
    over = matches[0]
    assert over[-1]["state"] == "RoundFinished"
    assert sum(body.get("state") == "HoleStarted" for body in over) == 18


def test_golf_leaderboards_are_whole_documents():
    world = played("golf", 100)
    boards = [body for match in packets(world, "leaderboard") for body in match]
    assert len(boards) >= 18
    for body in boards:
        assert "eventElementType" not in body
        assert all(re.fullmatch(r"[+-]\d+|E", team["toPar"]) for team in body["teams"])
    channel = found(world, world.fixtures[0].paths["leaderboard"])
    assert channel.replay(None, "skip") == channel.events[-1:]


def test_table_tennis_has_an_id_beside_the_number():
    matches = packets(played("tabletennis", 100), "actions")
    ids = [body["id"] for match in matches for body in match]
    assert all(type(own) is int for own in ids)
    assert len(set(ids)) == len(ids)
    assert {"PointScored", "PointStarted", "GameFinished", "MatchStatusUpdate"} == types(matches)


def test_the_multiplexer_has_every_golf_packet_in_an_envelope():
    world = played("golf", 100, fixtures={"golf": 2, "tennis": 1})
    expected = []
    for fixture in world.fixtures:
        if fixture.sport == "golf":
            tournament = fixture.id.split("-")[0]
            for path, event_id, feed_type in (
                (fixture.paths["actions"], fixture.id, "rounddetails"),
                (fixture.paths["leaderboard"], tournament, "leaderboard"),
            ):
                for packet in found(world, path).events:
                    expected.append((packet.published_ns, event_id, feed_type, parse(packet.text(packet.number))))
    catch_up = found(world, "/multiplexer/?catchup=true")
    seen = [parse(packet.text(packet.number)) for packet in catch_up.events]
    assert all(body["sport"] == "golf" and body["dataType"] == "eventdata" for body in seen)
    got = [(body["eventId"], body["feedType"], body["message"]) for body in seen]
    assert sorted(map(repr, got)) == sorted(repr(entry[1:]) for entry in expected)
    assert [packet.published_ns for packet in catch_up.events] == sorted(entry[0] for entry in expected)
    assert found(world, "/multiplexer/?sport=golf").replay(None, "skip") == []
    assert len(catch_up.replay(None, "skip")) == len(expected)


@pytest.mark.parametrize(
    ("sport", "states"),
    [("mma", {"Delayed", "Unstable", "Connected"}), ("golf", {"PartiallyDisconnected", "Connected"})],
)
def test_states_that_only_some_sports_name(sport, states):
    world = World(
        FastpathSimulatorSettings(fixtures={sport: 1}, actions_per_second=1, match_duration_s=1_000),
        FaultSwitch(FastpathFaultSettings()),
        START_NS,
    )
    seen, told = [], []
    found(world, world.fixtures[0].paths["actions"]).subscribe(seen.append)
    found(world, "multiplexer/?sport=golf").subscribe(told.append)
    for second in range(1, 400):
        world.advance(START_NS + second * S, S)
    bodies = [parse(packet.packet) for packet in seen if isinstance(packet, StatusPacket)]
    assert all(set(body) == {"eventElementType", "state", "timestamp"} for body in bodies)
    assert {body["state"] for body in bodies} == states
    assert [body["state"] for body in bodies[1::2]] == ["Connected"] * (len(bodies) // 2)
    envelopes = [parse(packet.packet) for packet in told if isinstance(packet, StatusPacket)]
    assert [body["message"] for body in envelopes] == (bodies if sport == "golf" else [])
    assert all(body["dataType"] == "connectionState" for body in envelopes)


@pytest.mark.parametrize("sport", ["mma", "golf"])
def test_no_fixture_ends_in_doubt(sport):
    world = World(
        FastpathSimulatorSettings(fixtures={sport: 40}, actions_per_second=40, match_duration_s=120),
        FaultSwitch(FastpathFaultSettings()),
        START_NS,
    )
    fixtures, last = list(world.fixtures), {}
    for each in fixtures:
        found(world, each.paths["actions"]).subscribe(partial(_note_state, last, each.paths["actions"]))
    for second in range(1, 240):
        world.advance(START_NS + second * S, S)
    assert {each.status for each in fixtures} == {"Completed"}
    assert set(last.values()) == {"Connected"}


def _note_state(states, path, packet):
    if isinstance(packet, StatusPacket):
        states[path] = parse(packet.packet)["state"]
