"""What the fact sheet says a packet has to be, checked without a line of the simulator's code."""

import json
import re
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

SEND_TYPES = {"Pending": 1, "Updated": 2, "Cancelled": 3, "Deleted": 4, "Confirmed": 5, "Restored": 6}
STATUSES = ["Scheduled", "Live", "Completed", "Postponed", "Abandoned", "Cancelled", "Suspended", "Unverified"]
COLLECTION_STATUSES = [
    "CollectionScheduled",
    "CollectingLive",
    "CollectingPostMatch",
    "CollectionSuspended",
    "CollectionDropped",
    "CollectionCompleted",
    "PostMatchChecked",
]
TYPE_IDS = {
    "Start Fixture": 4,
    "Start Period": 6,
    "Start Clock": 8,
    "Status Updated": 22,
    "Video Check Underway": 51,
    "Possible Video Check": 64,
    "Penalty Awarded": 106,
}
FOLLOWS = {  # what may be sent after what, for one actionId
    None: {"Pending", "Confirmed"},
    "Pending": {"Updated", "Confirmed", "Deleted", "Cancelled"},
    "Confirmed": {"Updated", "Deleted"},
    "Updated": {"Updated", "Confirmed", "Deleted"},
    "Deleted": {"Restored"},
    "Restored": {"Updated", "Deleted"},
    "Cancelled": set(),
}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ACTION_FIELDS = {
    "fixtureId", "actionId", "fixtureSeqNum", "timelineSequence", "fixtureActionType", "fixtureActionTypeId",
    "fixtureActionSubType", "fixtureActionSubTypeId", "sendType", "sendTypeId", "period", "clockTime", "timestamp",
    "relatedFixtureActionIds", "team", "player", "metadata", "delayStatus", "reason", "reasonId",
}  # fmt: skip
SUMMARY_FIELDS = {
    "homeTeamScore", "awayTeamScore", "isTied", "finished", "currentPeriod", "currentStatus", "currentClockTime",
    "currentClockState", "collectionStatus", "isHomeTeamInPossesion", "isHomeTeamInPossession", "periods",
}  # fmt: skip


def parse(text):
    """Return the packet with fractions as Decimal."""
    return json.loads(text, parse_float=Decimal)


def stamp_ns(text, decimals):
    """Return UTC ns of a stamp that has to have so many decimals and ``Z``."""
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{{decimals}}}Z", text), text
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int(fraction.ljust(9, "0"))


def found(world, path):
    """Return the channel that has to be at ``path``."""
    channel = world.channel(path)
    assert channel is not None, path
    return channel


def is_clock(text):
    return re.fullmatch(r"\d{2,3}:[0-5]\d", text) is not None


class ActionsChecker:
    """Follows the actions of one fixture in list order; raises ``AssertionError`` at the first that cannot be.

    Args:
        sport: Vendor's word.
        version: Payload version.
    """

    def __init__(self, fixture_id, sport, version):
        self.fixture_id, self.sport, self.version = fixture_id, sport, version
        self.sent = {}  # actionId -> last sendType
        self.lives = defaultdict(list)
        self.scored = {}  # actionId -> (home?, points) while it counts
        self.names = set()
        self.last_score = (0, 0)
        self.finished = False
        self.last_stamp_ns = 0
        self.delayed = 0
        self.collection = []

    def check(self, text, number):
        packet = parse(text)
        action, summary = packet["fixtureAction"], packet["fixtureSummary"]
        self._envelope(packet, number)
        self._action(action)
        self._summary(packet, action, summary)
        return packet

    def _envelope(self, packet, number):
        assert packet["version"] == self.version
        assert set(packet) <= {"traceId", "version", "finished", "fixtureAction", "fixtureSummary"}
        assert type(packet["fixtureAction"]["fixtureSeqNum"]) is int
        assert packet["fixtureAction"]["fixtureSeqNum"] == number
        if self.version == 1:  # 2022
            assert set(packet) == {"version", "fixtureAction", "fixtureSummary"}
            assert not {"timelineSequence", "relatedFixtureActionIds"} & set(packet["fixtureAction"])
        else:
            assert re.fullmatch(r"[0-9a-f]{32}", packet["traceId"])
            self._timeline(packet["fixtureAction"], number)
        if self.version == 2:
            assert type(packet["finished"]) is bool

    def _timeline(self, action, number):
        """``period + seconds*1e-9 + number*1e-16``, at most as wrong as a double of its size."""
        period = action["period"]
        rest = (action["timelineSequence"] - period - number * Decimal("1e-16")) / Decimal("1e-9")
        assert abs(rest - round(rest)) < Decimal("1e-6"), action["timelineSequence"]
        assert 0 <= round(rest) <= 6000
        if period == 0:
            assert round(rest) == 0

    def _action(self, action):
        assert set(action) <= ACTION_FIELDS
        assert action["fixtureId"] == self.fixture_id
        assert UUID.fullmatch(action["actionId"])
        assert SEND_TYPES[action["sendType"]] == action["sendTypeId"]
        assert type(action["fixtureActionTypeId"]) is int
        assert ("fixtureActionSubType" in action) == ("fixtureActionSubTypeId" in action)
        name = action["fixtureActionType"]
        assert TYPE_IDS.get(name, action["fixtureActionTypeId"]) == action["fixtureActionTypeId"]
        self.names.add(name)
        assert is_clock(action["clockTime"])
        at_ns = stamp_ns(action["timestamp"], 3 if self.sport == "volleyball" else 6)
        if "delayStatus" in action:
            assert action["delayStatus"]
            self.delayed += 1
        assert at_ns >= self.last_stamp_ns or "delayStatus" in action
        self.last_stamp_ns = at_ns
        before = self.sent.get(action["actionId"])
        assert action["sendType"] in FOLLOWS[before], (before, action["sendType"])
        self.sent[action["actionId"]] = action["sendType"]
        self.lives[action["actionId"]].append(action["sendType"])
        for related in action.get("relatedFixtureActionIds", ()):
            assert related in self.sent
        if name == "Status Updated":
            self._status(action)
        if {"reason", "reasonId"} & set(action):
            assert self.sport == "snooker"

    def _status(self, action):
        assert (action["period"], action["clockTime"]) == (0, "00:00")
        told = action["metadata"]
        assert all(type(told[name]) is int for name in ("coverageLevel", "fixtureStatus", "collectionStatus"))
        self.collection.append(told["collectionStatus"])
        if told["collectionStatus"] == 3:
            assert told["collectionStatusReason"] == "stream lost"
            assert type(told["collectionStatusReasonCode"]) is int

    def _summary(self, packet, action, summary):
        assert set(summary) <= SUMMARY_FIELDS
        possession = "isHomeTeamInPossession" if self.sport == "snooker" else "isHomeTeamInPossesion"
        assert type(summary[possession]) is bool
        states = {"basketball": {"running", "stopped"}, "snooker": {"Running", "Stopped"}}.get(self.sport)
        if states is None:
            assert "currentClockState" not in summary
        else:
            assert summary["currentClockState"] in states
        assert summary["currentStatus"] in STATUSES
        if self.version > 1:
            assert summary["collectionStatus"] in COLLECTION_STATUSES
        score = (summary["homeTeamScore"], summary["awayTeamScore"])
        assert min(score) >= 0
        assert summary["isTied"] == (score[0] == score[1])
        self._score(action, score)
        self._periods(summary, score)
        assert packet.get("finished", summary["finished"]) == summary["finished"]
        assert summary["finished"] or not self.finished
        self.finished = summary["finished"]

    def _score(self, action, score):
        """A score changes with a packet that lets an action count or count no more, by what that action is worth."""
        change = (score[0] - self.last_score[0], score[1] - self.last_score[1])
        self.last_score = score
        counts = action["sendType"] in {"Confirmed", "Restored"}
        action_id = action["actionId"]
        if change != (0, 0):
            assert 0 in change
            home, points = change[1] == 0, sum(change)
            assert action["team"].get("homeTeam", home) == home
            assert counts == (points > 0)
            if counts:
                assert self.scored.setdefault(action_id, (home, points)) == (home, points)
            else:
                assert self.scored[action_id] == (home, -points)
        elif action["fixtureActionType"] == "Goal":  # one that counted already
            assert action["sendType"] in {"Pending", "Updated", "Cancelled"}

    def _periods(self, summary, score):
        periods = summary["periods"]
        assert [period["id"] for period in periods] == list(range(1, len(periods) + 1))
        assert summary["currentPeriod"] == len(periods)
        assert all(period["end"] is not None for period in periods[:-1])
        for key, side in (("homeTeamPeriodScore", 0), ("awayTeamPeriodScore", 1)):
            assert sum(period[key] for period in periods) == score[side]
        if periods:
            assert (periods[-1]["homeTeamScore"], periods[-1]["awayTeamScore"]) == score
        for period in periods:
            assert set(period) == {
                "id", "type", "label", "start", "end", "homeTeamScore", "awayTeamScore", "homeTeamPeriodScore",
                "awayTeamPeriodScore",
            }  # fmt: skip
            for edge in (period["start"], period["end"]):  # no zone
                assert edge is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", edge)
