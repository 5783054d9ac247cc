"""Requests to process something again: each comes to records, to refusals, or is told to be none."""

from tricast.audit.records import Output, Raw
from tricast.audit.report import Report

_BAD_REQUEST = ".bad-replay"
_REFUSED = ".replay-refused"


def account(raw: Raw, outputs: list[Output], name: str, report: Report) -> list[Output]:
    """Account for one request; return the records that came of it.

    Args:
        raw: The request.
        outputs: All that came of it.
        name: Its position, for people.
        report: Where totals and findings go.
    """
    report.replays["requests"] += 1
    seen: dict[tuple[str, bool, str], Output] = {}
    records: list[Output] = []
    for output in outputs:
        if output.dead:
            report.dead_letters[output.kind] += 1
        if not output.replayed:
            if not (output.dead and output.kind.endswith(_BAD_REQUEST)):
                report.find("unexpected", f"{output.place}: {output.kind} from {name}, a request to replay")
            continue
        if not _is_asked_for(raw, output):
            report.find("unexpected", f"{output.place}: {name} asks for {raw.asked}, this is of {output.replayed}")
        first = seen.setdefault((output.replayed, output.dead, output.topic if output.dead else ""), output)
        if first is not output:
            report.find("duplicated", f"{output.replayed} came twice of {name}: {first.place} and {output.place}")
        if not output.dead:
            records.append(output)
            report.replays["records"] += output.below < 0
        else:
            report.replays["refused" if output.kind.endswith(_REFUSED) else "failed again"] += 1
    return records


def _is_asked_for(raw: Raw, output: Output) -> bool:
    offset, _, part = raw.asked.partition("/")
    source, *index = output.replayed.split("/")
    if source == str(raw.offset):
        return not output.dead  # what a replay causes beside its record has the id of the request
    return source == offset and (not part or not index or index[0] == part)
