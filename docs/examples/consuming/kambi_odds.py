"""Follow Kambi's odds: the newest of each outcome, nothing that is late, and a word where they are in doubt.

Try it: ``python kambi_odds.py 127.0.0.1:9092 tricast.``. It goes on where it left off; Ctrl-C ends it.
"""

import asyncio
import contextlib
import sys
from decimal import Decimal

from schemas.kambi.offers import OddsChanged, OfferAdded
from tricast.consumer import KafkaSettings, Reader, Trust


async def main(bootstrap_servers: str, prefix: str, most: int | None = None) -> None:
    """Print odds as they change; ``most``: how many records are read."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
    async with (
        Trust(kafka, "kambi", prefix=prefix) as trust,
        Reader(kafka, "kambi.offers", prefix=prefix, group="example.kambi-odds") as reader,
    ):
        async for event in reader:
            match event.data:
                case OfferAdded() | OddsChanged() as offer if not offer.late:
                    verdict = trust.is_trustworthy("kambi", str(offer.event_id))
                    doubt = "" if verdict else f"  in doubt: {verdict.state} ({verdict.reason})"
                    for outcome in offer.outcomes:
                        if outcome.odds_thousandths and not outcome.late:
                            odds = Decimal(outcome.odds_thousandths) / 1000
                            print(f"{event.time} event {offer.event_id} outcome {outcome.id}: {odds}{doubt}")
                case _:
                    pass  # offers removed, suspended …, and types that this program does not know
            if most is not None and (most := most - 1) <= 0:
                await reader.commit()
                return


if __name__ == "__main__":
    servers, prefix, *most = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(servers, prefix, *map(int, most)))
