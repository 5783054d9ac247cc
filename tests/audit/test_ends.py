"""What is told with the end of an event is accounted for: once each, and only where an event ended."""

from collections.abc import Callable

import pytest

from tests.core.kambi.tasks import ONE, added, gone, score
from tests.dlq.bench import Out
from tests.dlq.test_audit import audited
from tests.dlq.test_kambi import Kambi, T

OFFERS = "tricast.kambi.offers.removed.v1"


def afternoon() -> Kambi:
    bench = Kambi()
    bench.say(added(T, (ONE, 1500)), score(T + 1, "0", "0"))
    bench.say(gone(T + 10), score(T + 11, "1", "0"))
    return bench


def of(kind: str, written: list[Out]) -> Out:
    return next(out for out in written if out.header("ce_type") == kind)


def moved(out: Out, place: str) -> Out:
    return out._replace(headers=[(name, place.encode() if name == "ce_id" else text) for name, text in out.headers])


def test_ends_are_accounted_for():
    bench = afternoon()
    report = audited(bench, bench.written)
    assert (dict(report.findings), report.examples) == ({}, {})
    assert (report.normalized[OFFERS], report.normalized["tricast.kambi.scores.removed.v1"]) == (1, 1)


def test_raw_from_before_ends_were_told_is_no_loss():
    bench = afternoon()
    without = [out for out in bench.written if "s.removed." not in out.header("ce_type")]
    assert dict(audited(bench, without).findings) == {}


PLANTED: dict[str, tuple[Callable[[list[Out]], list[Out]], str]] = {
    "an end twice": (lambda written: [*written, of(OFFERS, written)], "duplicated"),
    "an end with what is none": (
        lambda written: [*written, moved(of(OFFERS, written), "t.kambi.raw/0/1/1/0")],
        "unexpected",
    ),
    "an end of another number": (
        lambda written: [*written, moved(of(OFFERS, written), "t.kambi.raw/0/1/0/1")],
        "duplicated",
    ),
    "an end of a third kind": (
        lambda written: [*written, moved(of(OFFERS, written), "t.kambi.raw/0/1/0/2")],
        "unexpected",
    ),
}


@pytest.mark.parametrize(("tamper", "kind"), PLANTED.values(), ids=PLANTED)
def test_what_is_wrong_with_an_end_is_named(tamper: Callable[[list[Out]], list[Out]], kind: str):
    bench = afternoon()
    assert audited(bench, tamper(bench.written)).findings[kind]
