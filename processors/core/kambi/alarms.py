"""What is odd about an open line although nothing says so: the vendor acknowledges what it will never deliver.

Messages are counted until they decide, at most ``SIDE_MESSAGES`` a window; ticks look at what was counted. Each
function changes the line's doubts and returns the pairs whose doubt changed.
"""

from typing import Final

from processors.core.kambi.channels import SIDES, Side
from processors.core.kambi.line_entries import SIDE_DOUBTS, Line
from processors.core.kambi.lines import LineBook

SILENT_S: Final = 5
"""A line ticks every second; one that lacks five of them while others tick is silent."""
LOST_S: Final = 60
"""After so long a silence its connector is taken for dead: what the line held, nobody holds."""
DELIVERY_S: Final = 60
"""A line that holds keys for longer than this and never brought a message, though others did, is suspect."""
SIDE_WINDOW_S: Final = 300
"""How long one side of a pair of keys may be silent while the other talks."""
SIDE_MESSAGES: Final = 100
"""Messages in such a window that are talk."""
COPIES_WINDOW_S: Final = 60
"""How long copies are counted at least before they are judged."""
COPIES: Final = 50
"""How many have to be counted at least."""

_UNCOUNTED = (0, 0, 0)


def count_message(book: LineBook, line: Line, pair: int, mt: int, now_s: int) -> bool:
    """Count a message of type ``mt`` for ``pair`` of ``line``; return whether that settled a doubt."""
    side = SIDES.get(mt)
    if side is None or pair not in line.entry.pairs:
        return False
    started_s, language, neutral = line.counts.sides.get(pair) or (now_s, 0, 0)
    counted = (
        (started_s, min(language + 1, SIDE_MESSAGES), neutral)
        if side == "language"
        else (started_s, language, min(neutral + 1, SIDE_MESSAGES))
    )
    if not (language and neutral) and counted != line.counts.sides.get(pair):
        line.counts.sides[pair] = counted
        book.write_counts(line)
    return _settle(book, line, side, pair)


def is_decided(line: Line, pair: int) -> bool:
    """Tell whether more messages of ``pair`` say nothing more in this window."""
    if pair not in line.entry.pairs:
        return True
    _, language, neutral = line.counts.sides.get(pair, _UNCOUNTED)
    return bool(language and neutral)


def look_at_silence(book: LineBook, line: Line, now_s: int) -> bool:
    """Return whether the line fell silent just now; its doubt is set."""
    if book.task.beats - line.pulse.beat <= SILENT_S or now_s - line.pulse.heard_s <= SILENT_S:
        return False
    if "silent" in line.entry.doubts:
        return False
    book.doubt(line, "silent")
    return True


def is_lost(book: LineBook, line: Line, now_s: int) -> bool:
    """Tell whether nothing was heard of the line for so long that its connector must be dead."""
    return book.task.beats - line.pulse.beat > LOST_S and now_s - line.pulse.heard_s > LOST_S


def look_at_delivery(book: LineBook, line: Line, life_s: int, now_s: int) -> bool:
    """Return whether the line ought to have delivered by now; ``life_s`` is when anything else last did."""
    entry = line.entry
    if entry.delivered or not entry.keyed_s or now_s - entry.keyed_s <= DELIVERY_S or life_s <= entry.keyed_s:
        return False
    if "never-delivered" in entry.doubts:
        return False
    book.doubt(line, "never-delivered")
    return True


def look_at_sides(book: LineBook, line: Line, now_s: int) -> set[int]:
    """End the windows that are over; return the pairs of which one side talked and the other did not."""
    sides = line.counts.sides
    ended = [pair for pair, counted in sides.items() if now_s - counted[0] >= SIDE_WINDOW_S]
    if not ended:
        return set()
    changed = set()
    for pair in ended:
        _, language, neutral = sides.pop(pair)
        line.settled.discard(pair)
        silent: Side | None = None
        if language >= SIDE_MESSAGES and not neutral:
            silent = "neutral"
        elif neutral >= SIDE_MESSAGES and not language:
            silent = "language"
        if silent is not None and pair not in line.entry.doubts.get(SIDE_DOUBTS[silent], ()):
            book.doubt(line, SIDE_DOUBTS[silent], pair)
            changed.add(pair)
    book.write_counts(line)
    return changed


def look_at_copies(book: LineBook, line: Line, now_s: int) -> bool:
    """Return whether the copies of the window that is over say something else than those before."""
    counts = line.counts
    met, unmet = counts.copies_met, counts.copies_unmet
    if not counts.copies_s or now_s - counts.copies_s < COPIES_WINDOW_S or met + unmet < COPIES:
        return False
    counts.copies_s = counts.copies_met = counts.copies_unmet = 0
    book.write_counts(line)
    was_odd, is_odd = "copies-unmatched" in line.entry.doubts, met < unmet
    if was_odd == is_odd:
        return False
    if is_odd:
        book.doubt(line, "copies-unmatched")
    else:
        book.settle(line, "copies-unmatched")
    return True


def life_beside(book: LineBook, line: Line) -> int:
    """Return when anything but ``line`` last showed that the vendor has something to say."""
    return max(book.task.life_s, max((other.pulse.message_s for other in book.all() if other is not line), default=0))


def _settle(book: LineBook, line: Line, side: Side, pair: int) -> bool:
    doubt = SIDE_DOUBTS[side]
    if pair not in line.entry.doubts.get(doubt, ()):
        return False
    book.settle(line, doubt, pair)
    return True
