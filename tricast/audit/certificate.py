"""The certificate of an audit: what was audited, what was found, and by its digest the certificate before.

It is one JSON file. Beside it lies what the next audit needs (``<name>.<digest>.state``), which the certificate names
by its digest, so that the two never disagree: an audit that is killed while it writes leaves the old pair.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from schemas.errors import ConfigurationError, EnvironmentFault
from tricast.audit.carried import Carried, Range, RmsCarried
from tricast.audit.marks import Mark
from tricast.audit.report import Report

FORMAT = 1
KEPT_FINDINGS = 200
"""Texts of one kind that a certificate repeats of those before it; the counts are of all."""
_PASSING = "unjudged"
"""Says how far the processors were, and nothing of what they wrote."""


@dataclass(slots=True)
class State:
    """What the next audit needs, of all feeds."""

    feeds: dict[str, Carried] = field(default_factory=dict)
    bets: dict[str, RmsCarried] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)


_STATE = msgspec.msgpack.Decoder(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPart:
    """Of one feed.

    Attributes:
        settled: What holds, whatever comes.
        open: Of what the next audit judges again.
        ranges: What was read.
        is_whole: Whether ``settled`` has all of the audits before already, not only what this one added.
    """

    settled: Report
    open: Report
    ranges: list[Range]
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """One audit, as it is to be certified.

    Attributes:
        feeds: By feed.
        prefix: Of the topics.
        version: Of this code.
        began: ISO 8601, UTC; with ``ended``.
        min_frames: Fewer frames than this over all audits prove nothing.
    """

    feeds: Mapping[str, FeedPart]
    prefix: str
    version: str
    began: str
    ended: str
    min_frames: int


def load(path: Path, prefix: str) -> tuple[dict[str, Any] | None, State]:
    """Return the last certificate in ``path`` with its state; nothing and an empty one when there is no file.

    Raises:
        ConfigurationError: It is damaged, was altered, is of other topics, or its state is missing.
    """
    if not path.exists():
        return None, State()
    certificate = _read_certificate(path)
    if certificate["prefix"] != prefix:
        raise ConfigurationError(
            f"{path} is of topics {certificate['prefix']}…", action="give each prefix its own file"
        )
    return certificate, _read_state(path.parent / certificate["state"]["file"], certificate["state"]["sha256"], path)


def _read_certificate(path: Path) -> dict[str, Any]:
    try:
        certificate = json.loads(_content(path, path))
    except (ValueError, RecursionError) as error:
        raise _refused(path, "it is no JSON, or not whole") from error
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise _refused(path, f"it is no certificate of format {FORMAT}")
    if certificate.get("digest") != digest_of(certificate):
        raise _refused(path, "it was altered: its digest is that of something else")
    return certificate


def _read_state(path: Path, sha256: str, certificate: Path) -> State:
    content = _content(path, certificate)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _refused(certificate, f"{path.name} was altered, it is not the state that belongs to it")
    try:
        return _STATE.decode(content)
    except msgspec.DecodeError as error:
        raise _refused(certificate, f"{path.name} is of another version of tricast ({error})") from error


def _content(path: Path, certificate: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _refused(certificate, f"{path.name} cannot be read ({error.strerror})") from error


def _refused(certificate: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot go on from {certificate}: {why}",
        action=f"put back {certificate.name} and its .state as they were written, or begin a new row: give another file"
        " name, or move this one away; everything is audited then",
    )


def certify(audited: Audited, before: dict[str, Any] | None, state: State, path: Path) -> dict[str, Any]:
    """Write the certificate of an audit that went on from ``before``; return it.

    Raises:
        EnvironmentFault: It cannot be written.
    """
    content = msgspec.msgpack.encode(state)
    sha256 = hashlib.sha256(content).hexdigest()
    name = f"{path.name}.{sha256[:16]}.state"
    certificate = _certificate(audited, before) | {"state": {"file": name, "sha256": sha256, "bytes": len(content)}}
    certificate["digest"] = digest_of(certificate)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path.parent / name, content)
        _write(path, json.dumps(certificate, indent=1).encode() + b"\n")
        old = None if before is None else before["state"]["file"]
        if old is not None and old != name:
            (path.parent / old).unlink(missing_ok=True)
    except OSError as error:
        raise EnvironmentFault(f"cannot write {path}: {error.strerror}") from error
    return certificate


def digest_of(certificate: Mapping[str, Any]) -> str:
    """Return the digest of everything in a certificate but its digest."""
    said = {name: value for name, value in certificate.items() if name != "digest"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _certificate(audited: Audited, before: dict[str, Any] | None) -> dict[str, Any]:
    feeds = dict(before["feeds"]) if before is not None else {}
    for feed, part in audited.feeds.items():
        feeds[feed] = _feed(part, feeds.get(feed))
    frames = sum(feed["so_far"]["frames"] for feed in feeds.values())
    findings = sum(sum(feed["so_far"]["finding_counts"].values()) for feed in feeds.values())
    records = sum(feed["so_far"]["normalized"] + len(feed["so_far"]["bets"]) for feed in feeds.values())
    too_little = frames < audited.min_frames or not records
    return {
        "format": FORMAT,
        "version": audited.version,
        "prefix": audited.prefix,
        "number": 1 if before is None else before["number"] + 1,
        "previous": None if before is None else before["digest"],
        "began": audited.began,
        "ended": audited.ended,
        "verdict": "not clean" if findings else "too little" if too_little else "clean",
        "feeds": feeds,
    }


def _feed(part: FeedPart, before: dict[str, Any] | None) -> dict[str, Any]:
    settled, still_open = part.settled.to_json(0), part.open.to_json(0)
    settled_so_far = _sums(settled)
    if before is not None and not part.is_whole:
        settled_so_far = _added(before["settled_so_far"], settled)
    return {
        "ranges": [
            {
                "topic": each.topic,
                "partition": each.partition,
                "from": each.first,
                "to": each.end,
                **({} if each.settled is None else {"settled": each.settled}),
            }
            for each in part.ranges
        ],
        "settled": settled,
        "open": still_open,
        "settled_so_far": settled_so_far,
        "so_far": _added(settled_so_far, still_open),
    }


_NUMBERS = (
    "raw_records",
    "frames",
    "repeats",
    "passed_over",
    "candidates",
    "normalized",
    "duplicates",
    "of_other_shards",
    "from_snapshots",
    "held_back",
    "dead_letters",
    "overflowed",
)
_COUNTERS = ("control_records", "normalized_by_type", "dead_letters_by_code", "bets", "finding_counts")


def _sums(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a report can be added up over audits."""
    sums = {name: report[name] for name in (*_NUMBERS, *_COUNTERS)}
    sums["gaps"] = len(report["gaps"])  # each certificate has its own intervals
    sums["findings"] = {kind: texts[:KEPT_FINDINGS] for kind, texts in report["findings"].items()}
    return sums


def _added(sums: Mapping[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    more = report if isinstance(report["gaps"], int) else _sums(report)
    added: dict[str, Any] = {name: sums[name] + more[name] for name in (*_NUMBERS, "gaps")}
    for name in _COUNTERS:
        added[name] = {key: sums[name].get(key, 0) + more[name].get(key, 0) for key in {*sums[name], *more[name]}}
    kinds = {*sums["findings"], *more["findings"]}
    added["findings"] = {
        kind: [*sums["findings"].get(kind, []), *more["findings"].get(kind, [])][:KEPT_FINDINGS] for kind in kinds
    }
    return added


def kept_of_bets(report: Report, before: dict[str, Any] | None) -> Report:
    """Return what earlier audits of RMS found and this one, which judges the last hours again, does not name again.

    Args:
        report: Of this audit.
        before: The part of the last certificate.
    """
    kept = Report()
    if before is not None:
        for kind, texts in before["so_far"]["findings"].items():
            again = set(report.examples.get(kind, ()))
            for text in texts:
                if kind != _PASSING and text not in again:
                    kept.find(kind, text)
    return kept


def _write(path: Path, content: bytes) -> None:
    """Write a whole file or none."""
    new = path.with_name(path.name + ".new")
    with new.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
