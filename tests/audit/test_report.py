"""Reports of several feeds, added up."""

from collections import Counter

from tricast.audit.report import EXAMPLE_LETTERS, KEPT_EXAMPLES, Report


def test_what_is_nothing_stays_in_the_sum():
    together = Report()
    for ledger in ({"sent": 3, "in gaps": 0}, None, {"sent": 1, "in gaps": 0, "other": 0}):
        together.add(Report(ledger=ledger))
    assert together.ledger == {"sent": 4, "in gaps": 0, "other": 0}


def test_the_sum_keeps_no_more_examples_than_one_report():
    together = Report()
    for feed in ("a", "b"):
        report = Report()
        for number in range(KEPT_EXAMPLES - 1):
            report.find("lost", f"{feed}{number}")
        together.add(report)
    assert together.findings["lost"] == 2 * (KEPT_EXAMPLES - 1)
    assert len(together.examples["lost"]) == KEPT_EXAMPLES
    assert together.examples["lost"][-1] == "b0"


def test_a_finding_quotes_no_megabytes():
    report = Report()
    report.find("false", "reason is " + "x" * 1_000_000)
    (text,) = report.examples["false"]
    assert (len(text), text[:11], text[-1]) == (EXAMPLE_LETTERS, "reason is x", "…")


def test_frames_alone_are_no_proof_and_bets_that_wait_are_one():
    assert Report(frames=1).too_little(1) == "no normalized record at all"
    assert Report(frames=1, bets=Counter({"records": 2, "waiting": 1})).too_little(1) is None
    assert Report(bets=Counter({"records": 2})).too_little(1) == "0 frames judged, at least 1 wanted"
