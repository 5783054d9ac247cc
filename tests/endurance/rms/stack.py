"""All of RMS as processes that can be killed: simulator, bet platform, connectors, the three workers."""

import json
from pathlib import Path

from tests.endurance.stack import Plans, Stack

CUSTOMER = "90210"
PLATFORM = 4021
_REPLICAS = ("", "b", "c")
WORKERS = ("worker-approvals", "worker-bets", "worker-join")


class RmsStack(Stack):
    """See ``Stack``; secrets lie in files, not in arguments.

    Args:
        bootstrap: Kafka.
        prefix: Topic prefix.
        folder: Logs, ledger, spools, state.
        port: Where the simulator listens.
        auth_url: Where the connectors authenticate.
        secret_file: Holds the connectors' client secret.
        settings: Further environment variables for all of them.
        replicas: How many connectors.
    """

    def __init__(
        self,
        *,
        bootstrap: str,
        prefix: str,
        folder: Path,
        port: int,
        auth_url: str,
        secret_file: Path,
        settings: dict[str, str],
        replicas: int,
    ) -> None:
        super().__init__("rms", "rms.join", bootstrap, prefix, folder, port, settings)
        common = self.environment
        connect = common | {
            "TRICAST_RMS__SOCKET_URL": f"ws://127.0.0.1:{port}",
            "TRICAST_RMS__AUTH_URL": auth_url,
            "TRICAST_RMS__BETS_URL": f"http://127.0.0.1:{port}/rms-bet/v1",
            "TRICAST_RMS__CUSTOMER_ID": CUSTOMER,
            "TRICAST_RMS__CLIENT_ID": "connector",
            "TRICAST_RMS__SECRET_FILE": str(secret_file),
            "TRICAST_RMS__REPLICAS_BEHIND_IP": str(replicas),
        }
        bets = common | {
            "TRICAST_SIMULATOR__BETS__AUTH_URL": f"http://127.0.0.1:{port}",
            "TRICAST_SIMULATOR__BETS__BETS_URL": f"http://127.0.0.1:{port}/rms-bet/v1",
            "TRICAST_SIMULATOR__BETS__CUSTOMERS": json.dumps(
                [{"client_id": "platform", "secret": "platform", "customer_id": CUSTOMER, "platform_id": PLATFORM}]
            ),
        }
        plans: Plans = {"simulate": (("simulate", "rms"), common | self._credentials(secret_file))}
        for worker in WORKERS:
            processor = worker.replace("worker-", "rms.")
            plans[worker] = (("work-one", processor), common | {"TRICAST_ENGINE__WORKER_NAME": worker})
        for name, replica in zip(self.connectors(replicas), _REPLICAS, strict=False):
            plans[name] = (
                ("connect", "rms"),
                connect
                | {
                    "TRICAST_RMS__SPOOL_DIR": str(folder / f"spool-{name}"),
                    "TRICAST_RMS__STATE_DIR": str(folder / f"state-{name}"),
                    "TRICAST_RMS__REPLICA": replica,
                },
            )
        self._plans = plans | {"bets": (("simulate", "bets"), bets)}

    def start_simulator(self) -> None:
        """Start it alone; return when it answers."""
        self.start("simulate")
        self._await_simulator()

    def retire(self, name: str) -> int:
        """End it by SIGTERM for good; return the exit code."""
        code = self.end(name)
        del self.processes[name]
        return code

    @staticmethod
    def connectors(replicas: int) -> tuple[str, ...]:
        """Return the names of the connectors."""
        return tuple(f"connect-{replica or 'a'}" for replica in _REPLICAS[:replicas])

    @staticmethod
    def _credentials(secret_file: Path) -> dict[str, str]:
        place = {"customer_id": CUSTOMER, "platform_ids": [PLATFORM]}
        return {
            "TRICAST_SIMULATOR__RMS__CREDENTIALS": json.dumps(
                [
                    {"client_id": "connector", "secret": secret_file.read_text(), **place},
                    {"client_id": "platform", "secret": "platform", **place},
                ]
            )
        }
