"""A run of two feeds over an hour as connectors would have recorded it: all that can happen, in some 500 records.

Made from a seed, so it is the same in every test run; what is in it is asserted by those who use it.
"""

from random import Random
from typing import Any

from tests.core.fastpath.raw import (
    STATISTICS,
    TENNIS,
    Line,
    Partition,
    action,
    collection,
    element,
    heartbeat,
    statistics,
    status,
)

_STEPS = 230


def recorded_run() -> Partition:
    """Return the partition."""
    random, partition = Random(20261120), Partition()
    soccer, standby = partition.line(), partition.line(replica="b")
    totals, tennis = partition.line(STATISTICS), partition.line(TENNIS)
    soccer.open()
    soccer.say({"message": "Authorisation accepted", "level": "INFO"})
    totals.open()
    tennis.open()
    tennis.say(element(0, kind="MatchStatusUpdate", timestamp="1970-01-01T00:00:00.000Z"))
    history: list[dict[str, Any]] = []
    for step in range(_STEPS):
        partition.now_s += random.choice((0.2, 0.4, 0.9, 1.1))
        now = partition.now_s
        history.append(_next(len(history) + 1, step, now))
        if step == 40:
            standby.open(0)
            standby.say(*history[:-1])
        _soccer(step, now, soccer, history)
        if 40 < step < 160 and step % 17:
            standby.say(history[-2])  # it lags
        if step % 6 == 0:
            totals.say(statistics(step // 6 + 1, now, possession=step)) if step != 60 else totals.lose()
            soccer.tick()
        if step % 8 == 0 and step != 88:
            tennis.say(element(step // 8 + 1 if step < 192 else step // 8 - 24, now, score=step))  # a reset
        if step % 25 == 0:
            soccer.say(heartbeat(now))
            tennis.tick()
        _trouble(step, soccer, standby, tennis)
    partition.now_s += 700
    for line in (soccer, totals, tennis):
        line.tick()
    soccer.say(action(len(history) + 1, partition.now_s, finished=True))
    soccer.close("finished", 1000)
    return partition


def _next(number: int, step: int, now: float) -> dict[str, Any]:
    if step in {70, 75}:
        return collection(number, 3 if step == 70 else 1, now)
    if 76 <= step <= 80:
        return action(number, now - 60, delayStatus="DELAYED")
    return action(number, now, sendType="Pending" if step % 3 else "Confirmed", identity=f"action-{number // 2}")


def _soccer(step: int, now: float, line: Line, history: list[dict[str, Any]]) -> None:
    """Deliver the newest action on the first line: mostly."""
    newest = history[-1]
    if step in {15, 52, 90, 91, 92, 130, 171, 172}:  # the vendor skips it; at 52 and 90 the standby has it
        return
    if step in {20, 100}:  # swapped with the next
        return
    if step in {21, 101}:
        line.say(newest, history[-2])
        return
    if step == 110:
        line.lose()  # of ours
        return
    line.say(newest)
    if step in {30, 120}:
        line.say(newest)
    if step == 125:
        line.say(action(len(history), now, identity="another", fixtureActionType="Goal"))
    if step in {35, 65, 180}:
        line.say(status("Disconnected", now))
    if step in {38, 68}:
        line.say(status("Connected", now))
    if step == 60:
        line.say(status("Delayed", now))
    if step in {24, 28}:  # repairs, as asked for
        line.close("repair", 1000)
        line.open(13 if step == 24 else 0, "repair")
        line.say(*(history[13:] if step == 24 else history))
    if step == 175:
        line.close("repair", 1000)
        line.open(170, "repair")
        line.say(*[packet for index, packet in enumerate(history[170:], 170) if index not in {171, 172}])
    if step == 200:
        line.close("error", 1006)
        line.tick(is_open=False)
        line.open(198, "reconnect")
        line.say(*history[198:])


def _trouble(step: int, soccer: Line, standby: Line, tennis: Line) -> None:
    if step == 115:
        soccer.overflow(2)
    if step == 140:
        soccer.say(b"{", b"\x00\xff", '{"what": 1}', {"fixtureAction": {"fixtureSeqNum": True}})
    if step == 150:
        soccer.partition.write(soccer.feed.encode(), b"{}", [("tc-kind", b"frame")])
    if step == 160:
        standby.close("liveness", 1001)
        standby.refuse("unauthorised", 401)
    if step == 165:
        tennis.open(20, "start")  # its connector died without a word
    if step == 185:
        tennis.say({"seqNum": 1, "eventElementType": "PointScored", "timestamp": "2026-09-21T20:00:00Z"})
