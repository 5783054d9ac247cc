"""Read all accounts from the store, once after each start of a stream task."""

from dataclasses import dataclass

from processors.core.fastpath.account.entries import (
    ACCOUNTS,
    FEED,
    GAP,
    HEAD,
    HELD,
    ID_BYTES,
    STATE,
    ConnectionsEntry,
    Gap,
    Head,
    State,
    decode_feed,
    decode_gap,
    decode_head,
    decode_held,
    decode_state,
)
from processors.core.processor import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One account as the store has it; its known numbers stay there.

    Attributes:
        head: Its names.
        state: Where it stands.
        gaps: What is missing.
        sizes: Account numbers of what is held back, and the size of each payload.
    """

    head: Head
    state: State
    gaps: list[Gap]
    sizes: dict[int, int]


def read(store: Store) -> tuple[list[ConnectionsEntry], list[Stored]]:
    """Return the connections of all feeds, and all accounts; costs a walk of the store."""
    feeds: list[ConnectionsEntry] = []
    heads: dict[bytes, Head] = {}
    states: dict[bytes, State] = {}
    gaps: dict[bytes, list[Gap]] = {}
    sizes: dict[bytes, dict[int, int]] = {}
    for key, value in store.items(ACCOUNTS):
        kind, identity, rest = key[:2], key[2 : 2 + ID_BYTES], key[2 + ID_BYTES :]
        if kind == FEED:
            feeds.append(decode_feed(value))
        elif kind == HEAD:
            heads[identity] = decode_head(value)
        elif kind == STATE:
            states[identity] = decode_state(value)
        elif kind == GAP:
            gaps.setdefault(identity, []).append(decode_gap(value))
        elif kind == HELD:
            sizes.setdefault(identity, {})[int.from_bytes(rest, "big")] = len(decode_held(value).payload)
    accounts = [
        Stored(head=head, state=states[identity], gaps=gaps.get(identity, []), sizes=sizes.get(identity, {}))
        for identity, head in heads.items()
    ]
    return feeds, accounts
