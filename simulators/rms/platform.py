"""The operator's bet platform: slips of players, one after the other, as the seed has them. Pure."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

from simulators.rms.bets import Json
from simulators.rms.config import RmsCredentialSettings, RmsPlatformSettings

_CONTEXTS = ("live", "inplay")
_TYPES = {1: "single", 2: "multiple", 3: "system"}


class BetPlatform:
    """Fill in slips; the same seed gives the same ones, save their ids, which are new in every run.

    Args:
        settings: How many, with which ids.
        credentials: Whose; their platforms take turns.
        seed: What decides.
        start_ns: When the simulator started.
    """

    def __init__(
        self,
        settings: RmsPlatformSettings,
        credentials: Sequence[RmsCredentialSettings],
        *,
        seed: int,
        start_ns: int,
    ) -> None:
        self._settings = settings
        self._chance = Random(f"{seed}/slips")  # noqa: S311  # a story, not secrets
        self._names = Random(f"{seed}/{start_ns}/slip ids")  # noqa: S311  # ids, not secrets
        self._start_us = start_ns // 1_000
        self._count = 0
        self._due = 0.0
        self._last_id = ""
        self._places = sorted(
            {(credential.customer_id, platform) for credential in credentials for platform in credential.platform_ids}
        )

    def advance(self, elapsed_ns: int) -> Iterator[tuple[str, int, Json]]:
        """Yield customer, platform and slip of every bet that is placed in this time."""
        self._due += self._settings.bets_per_second * elapsed_ns / 1e9
        while self._due >= 1:
            self._due -= 1
            customer, platform = self._places[self._count % len(self._places)]
            yield customer, platform, self.slip()

    def slip(self) -> dict[str, Any]:
        """Return the next slip."""
        chance = self._chance
        selections = chance.choice((1, 1, 1, 2, 3))
        live = chance.random() < self._settings.live_share
        context = chance.choice(_CONTEXTS) if live else "prematch"
        player = chance.randrange(80_000, 90_000)
        slip = {
            "betSlipId": self._slip_id(),
            "betSlipContext": context,
            "betType": _TYPES[selections],
            "stake": {"totalAmount": chance.choice((5, 10, 25, 100, 250, 2.5, 12.35))},
            "totalSelections": selections,
            "selections": [
                {
                    "eventId": str(chance.randrange(5_120_000_000, 5_129_999_999)),
                    "eventType": "match",
                    "eventContext": context,
                    "market": {"id": str(chance.randrange(1_900_000_000, 1_999_999_999)), "line": "1.5"},
                    "bet": {
                        "id": str(chance.randrange(601_772_293_400_000_000, 601_772_293_499_999_999)),
                        "odds": chance.randrange(105, 1_500) / 100,
                    },
                }
                for _ in range(selections)
            ],
            "userInfo": {"id": str(player), "userName": f"player-{player}"},
        }
        self._count += 1
        return slip

    def _slip_id(self) -> str:
        customers = len({customer for customer, _ in self._places})
        if self._settings.same_slip_ids and self._count % max(1, customers):
            return self._last_id
        match self._settings.slip_ids:
            case "uuid":
                self._last_id = str(UUID(int=self._names.getrandbits(128), version=4))
            case "digits":
                self._last_id = str(self._start_us + self._count)
            case "big":
                self._last_id = str((1 << 53) + self._start_us + self._count)
        return self._last_id
