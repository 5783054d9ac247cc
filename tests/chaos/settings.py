"""What the processes are told: modest load, the endurance runs' short windows, the fault suite's time-outs."""

import json
from pathlib import Path
from typing import Final

from tests.endurance.rms.__main__ import SETTINGS as RMS_WINDOWS
from tests.endurance.rms.stack import CUSTOMER, PLATFORM

PREFIX: Final = "chaos."
SESSION_TIMEOUT_S: Final = 6.0
TRANSACTION_TIMEOUT_S: Final = 10.0
LONGEST_WINDOW_S: Final = 60.0 + 45.0
"""Of RMS: a decision without a bet, and the look-up after it."""
UNANSWERED_S: Final = 240.0
"""Longer than a router of bets is away or behind here, or time overtakes it (docs/rms-join.md)."""
KAMBI_SHARDS: Final = 2
SPORTS: Final = {"soccer": 3, "basketball": 2, "snooker": 1}
SECRET: Final = "simulated"  # of a simulator on loopback
Environment = dict[str, str]


def common(bootstrap: str, prefix: str) -> Environment:
    """Return what every process is told."""
    return RMS_WINDOWS | {
        "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "TRICAST_TOPIC_PREFIX": prefix,
        "TRICAST_ENGINE__SESSION_TIMEOUT_S": f"{SESSION_TIMEOUT_S:g}",
        "TRICAST_ENGINE__HEARTBEAT_INTERVAL_S": "1",
        "TRICAST_ENGINE__TRANSACTION_TIMEOUT_S": f"{TRANSACTION_TIMEOUT_S:g}",
        "TRICAST_RMS__UNANSWERED_S": f"{UNANSWERED_S:g}",
        "TRICAST_FASTPATH__REPAIRS_PER_FIXTURE": "1000",
    }


def simulator(vendor: str, folder: Path, port: int, seed: int) -> Environment:
    """Return what the simulator of ``vendor`` is told; without faults of its own, but for RMS' odd payloads."""
    upper = f"TRICAST_SIMULATOR__{vendor.upper()}__"
    told = {
        f"{upper}PORT": str(port),
        f"{upper}SEED": str(seed),
        f"{upper}LEDGER": str(folder / f"{vendor}-ledger.jsonl"),
    }
    match vendor:
        case "kambi":
            return told | {
                f"{upper}EVENTS_LIVE": "16",
                f"{upper}SPEED": "4",
                f"{upper}CHANGES_PER_SECOND": "8",
                # A line from which nothing comes is given up within the faults' time, as RMS' is.
                f"{upper}PING_INTERVAL_S": "5",
                f"{upper}PING_TIMEOUT_S": "5",
            }
        case "fastpath":
            return told | {
                f"{upper}FIXTURES": json.dumps(SPORTS),
                f"{upper}ACTIONS_PER_SECOND": "60",
                f"{upper}MATCH_DURATION_S": "100000",
            }
        case _:
            place = {"customer_id": CUSTOMER, "platform_ids": [PLATFORM]}
            return told | {
                f"{upper}CREDENTIALS": json.dumps(
                    [{"client_id": client, "secret": SECRET, **place} for client in ("connector", "platform")]
                )
            }


def bet_platform(folder: Path, port: int, seed: int) -> Environment:
    """Return what the bet platform is told; it reaches RMS directly, as an operator's own line would."""
    return {
        "TRICAST_SIMULATOR__BETS__SEED": str(seed),
        "TRICAST_SIMULATOR__BETS__LEDGER": str(folder / "bets-ledger.jsonl"),
        "TRICAST_SIMULATOR__BETS__BETS_PER_SECOND": "4",
        "TRICAST_SIMULATOR__BETS__AUTH_URL": f"http://127.0.0.1:{port}",
        "TRICAST_SIMULATOR__BETS__BETS_URL": f"http://127.0.0.1:{port}/rms-bet/v1",
        "TRICAST_SIMULATOR__BETS__CUSTOMERS": json.dumps(
            [{"client_id": "platform", "secret": SECRET, "customer_id": CUSTOMER, "platform_id": PLATFORM}]
        ),
    }


def connector(feed: str, folder: Path, port: int) -> Environment:
    """Return what the connector of ``feed`` is told; it keeps all it keeps in ``folder``."""
    upper = f"TRICAST_{feed.upper()}__"
    socket, http = f"ws://127.0.0.1:{port}", f"http://127.0.0.1:{port}"
    told = {f"{upper}SPOOL_DIR": str(folder / "spool")}
    match feed:
        case "kambi":
            return told | {
                f"{upper}PUSH_URL": socket,
                f"{upper}OFFERING_URL": http,
                f"{upper}SHARDS": str(KAMBI_SHARDS),
                f"{upper}SNAPSHOT_INTERVAL_S": "10",
                f"{upper}DISCOVERY_INTERVAL_S": "5",
            }
        case "fastpath":
            return told | {
                f"{upper}STREAM_URL": socket,
                f"{upper}API_URL": http,
                f"{upper}TOKEN": SECRET,
                f"{upper}SPORTS": ",".join(SPORTS),
            }
        case _:
            return told | {
                f"{upper}SOCKET_URL": socket,
                f"{upper}AUTH_URL": http,
                f"{upper}BETS_URL": f"{http}/rms-bet/v1",
                f"{upper}CUSTOMER_ID": CUSTOMER,
                f"{upper}CLIENT_ID": "connector",
                f"{upper}SECRET": SECRET,
                f"{upper}STATE_DIR": str(folder / "state"),
            }
