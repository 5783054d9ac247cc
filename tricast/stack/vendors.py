"""The vendors of ``tricast up``: each a real one, or its simulator on a port of this machine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tricast.settings import Settings

LOOPBACK = "127.0.0.1"

Environment = Mapping[tuple[str, ...], str]
"""Settings by path, as they are handed to child processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """One feed's vendor.

    Attributes:
        feed: Its name; connector and simulator have it, too.
        processors: Processors of the feed.
        http_url: Its HTTP API when it is real; of a simulated one it is the simulator's.
        ledger: Where its simulator writes what it sent; ``None``: it is a real one.
        has_spool_dir: Whether its connector is told where its spool is.
        inputs: Simulators beside its own that write to Kafka what the operator's systems would.
        simulated_at: What simulator and connector are told when the simulator listens on a port.
    """

    feed: str
    processors: Sequence[str]
    http_url: str
    ledger: Path | None
    has_spool_dir: bool
    inputs: Sequence[str] = ()
    simulated_at: Callable[[int], Environment]


def _kambi(settings: Settings, ledger: Path | None) -> Vendor:
    kambi = settings.kambi

    def simulated_at(port: int) -> Environment:
        return {
            ("simulator", "kambi", "host"): LOOPBACK,
            ("simulator", "kambi", "port"): str(port),
            ("simulator", "kambi", "ledger"): str(ledger),
            ("simulator", "kambi", "offering"): kambi.offering,
            ("simulator", "kambi", "languages"): kambi.language,
            ("kambi", "push_url"): f"ws://{LOOPBACK}:{port}",
            ("kambi", "offering_url"): f"http://{LOOPBACK}:{port}",
        }

    return Vendor(
        feed="kambi",
        processors=("kambi", "kambi.state"),
        http_url=kambi.offering_url,
        ledger=ledger,
        has_spool_dir="spool_dir" in kambi.model_fields_set,
        simulated_at=simulated_at,
    )


def _fastpath(settings: Settings, ledger: Path | None) -> Vendor:
    fastpath, simulator = settings.fastpath, settings.simulator.fastpath
    chosen = {"sports", "feeds"} & fastpath.model_fields_set

    def simulated_at(port: int) -> Environment:
        told = {
            ("simulator", "fastpath", "host"): LOOPBACK,
            ("simulator", "fastpath", "port"): str(port),
            ("simulator", "fastpath", "ledger"): str(ledger),
            ("fastpath", "stream_url"): f"ws://{LOOPBACK}:{port}",
            ("fastpath", "api_url"): f"http://{LOOPBACK}:{port}",
            ("fastpath", "token"): simulator.token.get_secret_value(),
        }
        if chosen:
            return told
        sports = [sport for sport, count in simulator.fixtures.items() if count]
        return told | {("fastpath", "sports"): ",".join(sports)}

    return Vendor(
        feed="fastpath",
        processors=("fastpath.audit", "fastpath.state"),
        http_url=fastpath.api_url,
        ledger=ledger,
        has_spool_dir="spool_dir" in fastpath.model_fields_set,
        simulated_at=simulated_at,
    )


def _rms(settings: Settings, ledger: Path | None) -> Vendor:
    rms, simulator = settings.rms, settings.simulator.rms
    credential = simulator.credentials[0]

    def simulated_at(port: int) -> Environment:
        http = f"http://{LOOPBACK}:{port}"
        return {
            ("simulator", "rms", "host"): LOOPBACK,
            ("simulator", "rms", "port"): str(port),
            ("simulator", "rms", "ledger"): str(ledger),
            ("simulator", "rms", "platform", "bets_per_second"): "0",  # the bet platform is a process of its own
            ("rms", "socket_url"): f"ws://{LOOPBACK}:{port}",
            ("rms", "auth_url"): http,
            ("rms", "bets_url"): f"{http}/rms-bet/v1",
            ("rms", "customer_id"): credential.customer_id,
            ("rms", "client_id"): credential.client_id,
            ("rms", "secret"): credential.secret.get_secret_value(),
            ("simulator", "bets", "auth_url"): http,
            ("simulator", "bets", "bets_url"): f"{http}/rms-bet/v1",
        }

    return Vendor(
        feed="rms",
        processors=("rms.approvals", "rms.bets", "rms.join"),
        http_url=rms.bet_api,
        ledger=ledger,
        has_spool_dir="spool_dir" in rms.model_fields_set,
        inputs=("bets",) if ledger is not None else (),
        simulated_at=simulated_at,
    )


VENDORS: Mapping[str, Callable[[Settings, Path | None], Vendor]] = MappingProxyType(
    {"kambi": _kambi, "fastpath": _fastpath, "rms": _rms}
)
"""By feed; the path is the simulator's ledger, ``None`` for a real vendor."""

_URL_SETTING = MappingProxyType({"kambi": "push_url", "fastpath": "stream_url", "rms": "socket_url"})


def is_simulated(feed: str, settings: Settings) -> bool:
    """Return whether nobody has said where the real vendor is."""
    return _URL_SETTING[feed] not in getattr(settings, feed).model_fields_set


def default_feeds(settings: Settings) -> Sequence[str]:
    """Return the feeds of a plain ``tricast up``: all simulated, or only those whose real vendor is named."""
    real = [feed for feed in VENDORS if not is_simulated(feed, settings)]
    return real or list(VENDORS)
