"""Words and numbers of FastPath packets as they come (fact sheet §4, §7). Lists are open: what is new is kept.

There are no wire models: the packets differ by sport and year in every field but a few, so they are read by shape
(``processors.core.fastpath.classify``) and by table, and a field that is none of these stays as it was sent.
"""

from typing import Final

SEND_TYPES: Final = {
    1: "Pending",
    2: "Updated",
    3: "Cancelled",
    4: "Deleted",
    5: "Confirmed",
    6: "Restored",
}
"""sendTypeId → sendType (§4.1); where a packet has both and they disagree, the name holds."""

ACTION_TYPE_IDS: Final = {
    "Start Fixture": 4,
    "Start Period": 6,
    "Start Clock": 8,
    "Status Updated": 22,
    "Video Check Underway": 51,
    "Possible Video Check": 64,
    "Penalty Awarded": 106,
}
"""fixtureActionType → fixtureActionTypeId, as far as the sheet tells; ids differ from sport to sport."""

STATES: Final = ("Connected", "Disconnected", "Delayed", "Unstable", "PartiallyDisconnected")
"""Known states of ``ConnectionStateChanged`` (§7)."""

COLLECTION_STATUSES: Final = (
    "CollectionScheduled",
    "CollectingLive",
    "CollectingPostMatch",
    "CollectionSuspended",
    "CollectionDropped",
    "CollectionCompleted",
    "PostMatchChecked",
)
"""collectionStatus by its number (§4.5); lists and packets give either."""
