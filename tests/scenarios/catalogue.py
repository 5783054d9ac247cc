"""The scenarios: what is struck, which alerts must follow and how soon. The seconds are those of docs/runbook.md."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tests.scenarios import strikes
from tests.scenarios.scenario import Scenario
from tests.scenarios.witnesses import ALL

_FEEDS: Final = ("kambi", "fastpath", "rms")
_OLD_CHAIN: Final = strikes.OldChain(6.6 * 86_400)
_HANGING: Final = strikes.Transaction("kambi.offers")
# Connectors keep on disk what comes. A worker waits, or ends with 70 if it was about to commit, and cannot start before
# Kafka is there; how long it then needs to catch up is the machine's matter.
_WITHOUT_KAFKA: Final = MappingProxyType({"kafka-down": 10.0, "spooling": 10.0})
_MAY_WITHOUT_KAFKA: Final = frozenset({"process-unready", "process-gone", "group-lagging"})

_ALL: Final = (
    Scenario(
        name="vendor",
        meaning="Kambi is away, its push and its offering",
        part="connect-kambi",
        strike=strikes.kill("simulate-kambi"),
        heal=strikes.revive("simulate-kambi"),
        codes={"line-down": 5.0, "process-unready": 5.0},
        struck_s=90.0,
        well_s=75.0,
    ),
    Scenario(
        name="connector",
        meaning="the connector is killed and nothing starts it again",
        part="connect-kambi",
        strike=strikes.kill("connect-kambi"),
        heal=strikes.revive("connect-kambi"),
        codes={"connector-silent": 20.0, "process-gone": 0.0},
        struck_s=60.0,
    ),
    Scenario(
        name="worker",
        meaning="the worker is killed and nothing starts it again",
        part="work-kambi",
        strike=strikes.kill("work-kambi"),
        heal=strikes.revive("work-kambi"),
        codes={"group-without-members": 15.0, "process-gone": 0.0, "group-lagging": 65.0},
        struck_s=115.0,
    ),
    Scenario(
        name="lag",
        meaning="a worker hangs, the group still counts on it, and what it has to read grows older",
        part="work-kambi",
        strike=strikes.stop("work-kambi"),
        heal=strikes.go_on("work-kambi"),
        codes={"process-gone": 0.0, "group-lagging": 65.0},
        struck_s=115.0,
        settings={"TRICAST_ENGINE__SESSION_TIMEOUT_S": "600"},
    ),
    Scenario(
        name="kafka",
        meaning="the only broker is killed",
        part="connect-kambi",
        strike=strikes.kill_brokers(1),
        heal=strikes.start_brokers(1),
        codes=_WITHOUT_KAFKA,
        may=_MAY_WITHOUT_KAFKA,
        readyz_s=15.0,
        struck_s=90.0,
        well_s=120.0,
    ),
    Scenario(
        name="readers",
        meaning="another team's producer hangs in a transaction and keeps readers waiting",
        strike=_HANGING.open,
        heal=_HANGING.abort,
        codes={"readers-held-back": 30.0},
        struck_s=65.0,
    ),
    Scenario(
        name="dead-letters",
        meaning="Kambi sends what cannot be read",
        strike=strikes.tell("kambi", junk_every=2),
        heal=strikes.tell("kambi"),
        codes={"dead-letters": 30.0},
        struck_s=75.0,
        well_s=120.0,
    ),
    Scenario(
        name="gaps",
        meaning="numbers are missing in FastPath's feeds, again and again",
        feeds=("fastpath",),
        strike=strikes.tell("fastpath", skip_every=4),
        heal=strikes.tell("fastpath"),
        codes={"gap-burst": 45.0},
        struck_s=60.0,
        well_s=330.0,
    ),
    Scenario(
        name="token",
        meaning="the refresh chain of RMS is six and a half days old, and the secret that begins a new one is refused",
        feeds=("rms",),
        strike=_OLD_CHAIN.strike,
        heal=_OLD_CHAIN.mend,
        settings=_OLD_CHAIN.settings,
        prepare=_OLD_CHAIN.prepare,
        codes={"token-near-end": 15.0},
        struck_s=330.0,
    ),
    Scenario(
        name="broker",
        meaning="one of three brokers is killed",
        brokers=3,
        strike=strikes.kill_brokers(2),
        heal=strikes.start_brokers(2),
        codes={"broker-silent": 10.0, "under-replicated": 20.0},
        struck_s=100.0,
        well_s=120.0,
    ),
    Scenario(
        name="brokers",
        meaning="all three brokers are killed",
        brokers=3,
        part="connect-kambi",
        strike=strikes.kill_brokers(1, 2, 3),
        heal=strikes.start_brokers(1, 2, 3),
        codes=_WITHOUT_KAFKA,
        may=_MAY_WITHOUT_KAFKA,
        readyz_s=15.0,
        struck_s=100.0,
        well_s=120.0,
    ),
    Scenario(
        name="night",
        meaning="for six minutes no vendor has anything to say",
        feeds=_FEEDS,
        part=ALL,
        strike=strikes.pause,
        heal=strikes.resume,
        struck_s=360.0,
    ),
    Scenario(name="quiet", meaning="nothing goes wrong", feeds=_FEEDS, part=ALL, struck_s=1800.0),
)
SCENARIOS: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""By name."""
