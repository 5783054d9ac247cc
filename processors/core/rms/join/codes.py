"""A bet code's task: sends what comes for the code on to its slip, or keeps it until the slip is known.

What it kept or sent comes before what says so: ``Known`` to the slip, ``Passed`` to everybody. By these a slip's task
knows that nothing for it is on its way any more.
"""

import msgspec
from msgspec.structs import replace

from processors.core.rms.join import outcomes
from processors.core.rms.join.case import Place, Told
from processors.core.rms.join.entries import CodeEntry, item_of, message_of
from processors.core.rms.join.evidence import MAX_ITEMS, Kept, keep
from processors.core.rms.join.wakes import Wake
from schemas.rms.codes import Code, Count
from schemas.rms.decisions import Conflict
from schemas.rms.pending import Alias, Evident, Known


class CodeCase(msgspec.Struct, gc=False):
    """A code with its entry, which the rules change; ``sent`` and ``effects`` in the order of emission."""

    code: str
    entry: CodeEntry
    place: Place
    sent: list[Evident | Known] = []
    effects: list[Told | Count] = []

    def heard(self, time_ns: int = 0) -> None:
        """A record about the code came."""
        self.entry.last_ns = max(self.entry.last_ns, self.place.clock.now_ns, time_ns)


def take_alias(case: CodeCase, message: Alias) -> None:
    """Take the slip of the code: the first stands."""
    entry, place = case.entry, case.place
    if entry.slip is None:
        entry.slip, entry.position = message.slip, message.position
        case.sent += [message_of(item, place.customer, message.slip, case.code) for item in entry.items]
        entry.items = []
    elif entry.slip == message.slip or message.slip in entry.others:
        case.effects.append(Count.REPEAT)
    else:
        if len(entry.others) < MAX_ITEMS:
            entry.others.append(message.slip)
        record = Conflict(
            customer=place.customer,
            bet_slip_id=message.slip,
            bet_code=case.code,
            why="code-of-two-bets",
            stands="",
            earlier_raw=entry.position,
            raw=message.position,
        )
        case.effects.append(Told(record, place.clock.now_ns))
    case.sent.append(Known(customer=place.customer, slip=message.slip, code=case.code))
    case.heard()


def take_evident(case: CodeCase, message: Evident) -> Code | None:
    """Take an approval that names the code alone; return why it is a dead letter, if it is."""
    entry = case.entry
    if entry.slip is not None:
        case.sent.append(replace(message, slip=entry.slip))
    elif message.said is None:
        case.effects.append(Count.NO_BET)
        return None
    else:
        kept = keep(entry.items, item_of(message, message.said))
        if kept is Kept.TOO_MUCH:
            return Code.TOO_MUCH_EVIDENCE
        if kept is Kept.REPEAT:
            case.effects.append(Count.REPEAT)
    case.heard(message.received_ns)
    look(case)
    return None


def look(case: CodeCase) -> None:
    """Tell what waited in vain for long enough."""
    entry, place = case.entry, case.place
    if entry.last_ns == 0:
        entry.last_ns = place.clock.now_ns  # the customer's time begins now
    for item in entry.items:
        if not item.is_orphan and place.clock.now_ns > item.received_ns + place.settings.orphan_ns:
            item.is_orphan = True
            case.effects.append(Told(outcomes.orphan(place, item, None, case.code), item.received_ns))


def is_over(case: CodeCase) -> bool:
    """Tell whether a code can be forgotten."""
    entry = case.entry
    if entry.slip is None and not entry.items:
        return True
    return entry.last_ns > 0 and case.place.clock.now_ns > entry.last_ns + case.place.settings.remember_ns


def wake_of(case: CodeCase) -> Wake:
    """Return when to look at a code again."""
    entry, settings = case.entry, case.place.settings
    if entry.last_ns == 0:
        return Wake(at_ns=1)
    times = [entry.last_ns + settings.remember_ns]
    times += [item.received_ns + settings.orphan_ns for item in entry.items if not item.is_orphan]
    return Wake(at_ns=min((time_ns + 1 for time_ns in times if time_ns >= case.place.clock.now_ns), default=None))
