"""The certificate: chained, whole or not there, and refused when it is not what it was."""

import json

import pytest

from schemas.errors import ConfigurationError
from tricast.audit.carried import Carried, Range, RmsCarried
from tricast.audit.certificate import Audited, FeedPart, State, certify, digest_of, kept_of_bets, load
from tricast.audit.records import Output
from tricast.audit.report import Gap, Report

PREFIX = "t."
CUT = Output(
    topic="t.kambi.offers",
    partition=1,
    offset=2,
    key=b"\xff",
    source_partition=0,
    source_offset=40,
    index=0,
    kind="x",
    dead=False,
)
STATE = State(
    feeds={"kambi": Carried({0: 40}, {0: b"\x81"}, {"t.kambi.offers/1": 9}, b"\x90", [CUT])},
    bets={"rms": RmsCarried(17)},
)


def report(frames=0, gaps=0, **findings):
    made = Report(raw_records=frames, frames=frames)
    made.normalized["n"] = frames
    for kind, texts in findings.items():
        for text in texts:
            made.find(kind, text)  # type: ignore[arg-type]
    made.gaps += [
        Gap(line="l", previous_connection="a", previous_frame=3, connection="b", from_ns=5, until_ns=9)
    ] * gaps
    return made


def audited(settled, still_open, *, is_whole=False, feed="kambi", min_frames=1):
    part = FeedPart(settled=settled, open=still_open, ranges=[Range("t.kambi.raw", 0, 0, 50, 40)], is_whole=is_whole)
    return Audited(feeds={feed: part}, prefix=PREFIX, version="1", began="b", ended="e", min_frames=min_frames)


def test_a_row_of_certificates(tmp_path):
    path = tmp_path / "audits" / "c.json"
    assert load(path, PREFIX) == (None, State())
    first = certify(audited(report(10, gaps=1), report(2, lost=["late"])), None, STATE, path)
    assert (first["number"], first["previous"], first["verdict"]) == (1, None, "not clean")
    assert first["feeds"]["kambi"]["ranges"] == [
        {"topic": "t.kambi.raw", "partition": 0, "from": 0, "to": 50, "settled": 40}
    ]
    assert first["feeds"]["kambi"]["settled"]["gaps"][0]["until_ns"] == 9
    before, state = load(path, PREFIX)
    assert (before, state) == (first, STATE)
    # What was open is judged again: its findings hold no more.
    second = certify(audited(report(5), report(1)), before, State(), path)
    assert (second["number"], second["previous"], second["verdict"]) == (2, first["digest"], "clean")
    so_far = second["feeds"]["kambi"]["so_far"]
    assert (so_far["frames"], so_far["gaps"], so_far["finding_counts"]) == (16, 1, {})
    third = certify(audited(report(1, lost=["x"]), report()), second, State(), path)
    fourth = certify(audited(report(), report()), third, State(), path)
    assert fourth["verdict"] == "not clean"
    assert fourth["feeds"]["kambi"]["so_far"]["findings"] == {"lost": ["x"]}
    assert sorted(each.suffix for each in path.parent.iterdir()) == [".json", ".state"]


def test_nothing_proves_nothing(tmp_path):
    path = tmp_path / "c.json"
    assert certify(audited(report(), report()), None, STATE, path)["verdict"] == "too little"
    assert certify(audited(report(4), report(), min_frames=5), None, STATE, path)["verdict"] == "too little"


def test_bets_are_judged_again_and_their_findings_kept(tmp_path):
    path = tmp_path / "c.json"
    first = certify(audited(report(4), report(4, lost=["a", "b"]), is_whole=True), None, STATE, path)
    again = report(3, lost=["b"], unjudged=["behind"])
    kept = kept_of_bets(again, first["feeds"]["kambi"])
    assert kept.examples == {"lost": ["a"]}
    second = certify(audited(kept, again, is_whole=True), first, STATE, path)
    assert second["feeds"]["kambi"]["so_far"]["findings"] == {"lost": ["a", "b"], "unjudged": ["behind"]}
    third_kept = kept_of_bets(report(), second["feeds"]["kambi"])
    assert third_kept.examples == {"lost": ["a", "b"]}


def altered(change):
    def spoil(path):
        certificate = json.loads(path.read_text())
        change(certificate["feeds"]["kambi"])
        path.write_text(json.dumps(certificate))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (altered(lambda kambi: kambi["so_far"].update(frames=11)), "it was altered"),
        (altered(lambda kambi: kambi["settled"].pop("candidates")), "it was altered"),
        (altered(lambda kambi: kambi["so_far"]["findings"]["lost"].reverse()), "it was altered"),
        (lambda path: path.write_text("{"), "no JSON, or not whole"),
        (lambda path: path.write_text("[" * 100_000), "no JSON, or not whole"),
        (lambda path: path.write_bytes(b"\xff" * 1_000), r"no JSON, or not whole\n"),
        (lambda path: path.write_text("[]"), "no certificate of format 1"),
        (lambda path: path.write_text('{"format": 2}'), "no certificate of format 1"),
        (lambda path: next(path.parent.glob("*.state")).unlink(), r"\.state cannot be read \(No such file"),
        (lambda path: next(path.parent.glob("*.state")).write_bytes(b"\x80"), r"\.state was altered"),
    ],
    ids=[
        "digit",
        "line",
        "order",
        "cut off",
        "too deep",
        "bytes",
        "no object",
        "other format",
        "no state",
        "other state",
    ],
)
def test_what_was_touched_is_refused(tmp_path, spoil, why):
    path = tmp_path / "c.json"
    certify(audited(report(10, lost=["a", "b"]), report()), None, STATE, path)
    assert load(path, PREFIX)[0] is not None
    with pytest.raises(ConfigurationError, match=r"of topics t\."):
        load(path, "other.")
    spoil(path)
    with pytest.raises(ConfigurationError, match=f"cannot go on from .*c.json: .*{why}") as refused:
        load(path, PREFIX)
    assert "begin a new row" in str(refused.value)


def test_killed_while_it_writes(tmp_path):
    """The state comes first, under its own name: what an end in between leaves is the pair before."""
    path = tmp_path / "c.json"
    first = certify(audited(report(10), report()), None, STATE, path)
    (tmp_path / "c.json.0123456789abcdef.state").write_bytes(b"of the next one")
    (tmp_path / "c.json.new").write_text('{"half')
    assert load(path, PREFIX) == (first, STATE)
    assert digest_of(json.loads(path.read_text())) == first["digest"]
