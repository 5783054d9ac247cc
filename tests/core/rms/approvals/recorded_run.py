"""A run of two customers and five lines over some minutes as connectors would have recorded it: all that can happen.

Made from a seed, so it is the same in every test run; what is in it is asserted by those who use it.
"""

from random import Random

from tests.core.rms.approvals.raw import Line, Partition

_STEPS = 165


def recorded_run() -> Partition:
    """Return the partition."""
    random, partition = Random(20261121), Partition()
    first, second = partition.line(), partition.line(suffix="@b")
    other, looked = partition.line(customer="7"), partition.line(suffix="-lookups")
    first.open()
    other.open(join=False)
    for step in range(_STEPS):
        partition.now_s += random.choice((0.5, 1.0, 1.25))
        now_s = partition.now_s
        first.tick(heard_s=now_s - random.choice((0, 0.25, 20)))
        if step > 20:
            second.tick(heard_s=now_s - random.choice((0, 0.5)))
        if step % 5 == 0 and not 30 < step < 140:
            other.tick()
        _approvals(step, first, second, other)
        _trouble(step, first, second, other)
        if step % 11 == 3:
            status = ("accepted", "reserve", "declined", "odd")[step % 4]
            body = {"success": True, "data": {"code": f"code-{step // 11}", "status": status}}
            looked.look_up(body, code=f"code-{step // 11}", slip=f"slip-{step // 11}", requested_s=now_s - 0.5)
        if step in {60, 61}:
            looked.look_up(b"<html>", status=200 if step == 60 else 503)
    partition.now_s += 700
    first.tick()
    first.tell("accept", {"betSlipId": "slip-1"})  # it is forgotten that this was told
    first.close("stopped", 1000, heard_s=partition.now_s)
    return partition


def _approvals(step: int, first: Line, second: Line, other: Line) -> None:
    """Deliver decisions, mostly over both sockets of the customer."""
    if step % 3:
        return
    number = step // 3
    both = {"betSlipId": f"slip-{number}", "code": f"code-{number}", "customerId": 90210}
    said = "accept" if number % 4 else "reject"
    arguments = [both, {"code": f"code-{number}"}, {"bet_slip_id": f"slip-{number}"}, {"code": f"other-{number}"}]
    argument = arguments[number % 4]
    if first.is_open:
        first.tell(said, argument)
    if second.is_open:
        second.tell(said, argument, both)
    if number % 5 == 0 and not 30 < step < 140:
        other.tell(said, argument | {"customerId": 7}, {"code": number, "stake": 1.5, "timestamp": 1})


def _trouble(step: int, first: Line, second: Line, other: Line) -> None:
    now_s = first.partition.now_s
    if step == 15:
        second.refuse("too-many-requests", 429)
    if step == 20:
        second.open(join=False)
    if step == 24:
        second.join()
    if step == 40:
        first.close("liveness", 1006, heard_s=now_s - 20)
    if step == 46:
        first.open()
    if step == 50:
        second.lose(2)
    if step == 55:
        first.overflow(4)
    if step == 70:
        first.say(
            "hello", b"\xff", '2["RESERVE_BET_ACCEPT"]', '2["RESERVE_BET_REJECT",{},{"betSlipId":"x"}]', '2["OTHER"]'
        )
    if step == 75:
        first.partition.write(b"90210", b"{}", [("tc-kind", b"frame")])
    if step == 80:
        first.say("1")
        second.close("server-disconnect", 1005, heard_s=now_s)
    if step == 84:
        second.open()
        first.open()  # its connector died without a word
    if step == 141:
        other.join()
    if step == 145:
        other.control("closed", "nonsense")
