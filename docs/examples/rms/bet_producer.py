"""Tell tricast of bets from Python: before place-bet is called, and when it has answered.

Needs ``confluent-kafka``. Try it: ``python bet_producer.py 127.0.0.1:9092 tricast. 90210``
"""

import json
import sys
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from confluent_kafka import KafkaError, KafkaException, Message, Producer


class BetProducer:
    """Writes the records of one customer; each call returns when all replicas have the record."""

    def __init__(self, bootstrap_servers: str, topic: str, customer: str) -> None:
        self._topic = topic
        self._customer = customer
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap_servers,
                "enable.idempotence": True,  # a resend leaves no repeat, and order is kept
                "acks": "all",
                "partitioner": "murmur2_random",  # a key has the same partition from every language
                "delivery.timeout.ms": 30_000,
            }
        )

    def placed(self, slip_id: str, *, context: str, stake: str, selections: list[dict[str, str]]) -> str:
        """Tell of a bet. Call place-bet only after this has returned."""
        return self._write(
            {
                "type": "placed",
                "customer": self._customer,
                "bet_slip_id": slip_id,
                "placed_at": datetime.now(UTC).isoformat(),
                "context": context,
                "stake": stake,  # decimals as text stay exact
                "selections": selections,
            }
        )

    def answered(
        self, slip_id: str, *, disposition: str, bet_code: str | None = None, result: bool | None = None
    ) -> str:
        """Tell what place-bet came to; ``unknown`` when nobody can say, a time-out for instance."""
        said = {"bet_code": bet_code, "result": result}
        return self._write(
            {
                "type": "answered",
                "customer": self._customer,
                "bet_slip_id": slip_id,
                "answered_at": datetime.now(UTC).isoformat(),
                "disposition": disposition,
            }
            | {name: value for name, value in said.items() if value is not None}
        )

    def _write(self, record: Mapping[str, object]) -> str:
        written: list[Message] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                raise KafkaException(error)
            written.append(message)

        self._producer.produce(
            self._topic,
            key=f"{record['customer']}/{record['bet_slip_id']}",
            value=json.dumps(record),
            on_delivery=delivered,
        )
        self._producer.flush()  # raises what `delivered` raised
        return f"{written[0].topic()}/{written[0].partition()}/{written[0].offset()}"


def main(bootstrap_servers: str, topic_prefix: str, customer: str) -> None:
    """Tell of one bet that was referred, and print where both records stand."""
    bets = BetProducer(bootstrap_servers, f"{topic_prefix}rms.bets", customer)
    slip_id = str(uuid.uuid4())  # also the betSlipId of place-bet
    selection = {
        "event_id": "5120033471",
        "market_id": "1900455120",
        "line": "1.5",
        "outcome_id": "6017722934",
        "odds": "1.95",
    }
    print(bets.placed(slip_id, context="prematch", stake="250.00", selections=[selection]))
    # Here your platform calls place-bet, and bet/detail if it has to know whether the bet was referred.
    print(bets.answered(slip_id, disposition="referred", bet_code="k3v9q7a1z-m4n8p2x6c0", result=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
