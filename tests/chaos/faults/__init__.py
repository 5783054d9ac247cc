"""Faults of what the product stands on: vendors, network, clock, disk, file descriptors, a broker's processor.

Each module says of its fault what it is and what must hold. There is none of a slow disk: the kernel slows writers for
whole devices or by control groups, and a test may have neither; a broker writes to the page cache and does not wait
for the disk, so one that gets little processor is the nearer thing.
"""

import sys
from typing import Final

from tests.chaos.fault import Kind
from tests.chaos.faults import spool
from tests.chaos.faults.broker_disk import BrokerDiskFull
from tests.chaos.faults.clock_step import ClockStep
from tests.chaos.faults.cut import VendorCut
from tests.chaos.faults.descriptors import BrokerDescriptors, Descriptors
from tests.chaos.faults.half_open import VendorHalfOpen
from tests.chaos.faults.slow_broker import SlowBroker
from tests.chaos.faults.spool import SpoolFull
from tests.chaos.faults.vendor import VendorFlooding, VendorRefusing, VendorSilent, VendorSlow


def _not_linux() -> str | None:
    return None if sys.platform == "linux" else "limits of a live process can only be set on Linux"


_VENDORS: Final = ("vendor:kambi", "vendor:fastpath", "vendor:rms")
_CONNECTORS: Final = ("connector:kambi", "connector:fastpath", "connector:rms")
_WORKERS: Final = ("worker:kambi:1", "worker:fastpath.audit:1", "worker:rms.join:1")
_BROKERS: Final = ("broker:1", "broker:2", "broker:3", "controller")

KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        name="vendor-refusing",
        make=VendorRefusing,
        targets=_VENDORS,
        lane="world",
        lasts_s=(6.0, 15.0),
        per_seed=3,
    ),
    Kind(name="vendor-half-open", make=VendorHalfOpen, targets=_VENDORS, lane="world", lasts_s=(20.0,), per_seed=3),
    Kind(name="vendor-slow", make=VendorSlow, targets=_VENDORS, lane="world", lasts_s=(12.0,), per_seed=3),
    Kind(name="vendor-flooding", make=VendorFlooding, targets=_VENDORS, lane="world", lasts_s=(6.0,), per_seed=3),
    Kind(name="vendor-silent", make=VendorSilent, targets=_VENDORS, lane="world", lasts_s=(5.0, 15.0), per_seed=3),
    Kind(name="vendor-cut", make=VendorCut, targets=_VENDORS, lane="world", per_seed=6),
    Kind(
        name="clock-step",
        make=ClockStep,
        targets=(*_CONNECTORS, *_WORKERS),
        lane="world",
        lasts_s=(8.0,),
        per_seed=6,
    ),
    Kind(
        name="descriptors",
        make=Descriptors,
        targets=(*_CONNECTORS, *_WORKERS),
        lane="world",
        lasts_s=(5.0, 10.0),
        per_seed=4,
        needs=_not_linux,
    ),
    Kind(
        name="descriptors",
        make=BrokerDescriptors,
        targets=_BROKERS,
        lane="brokers",
        lasts_s=(8.0,),
        needs=_not_linux,
    ),
    Kind(name="slow-broker", make=SlowBroker, targets=_BROKERS, lane="brokers", lasts_s=(5.0, 15.0), per_seed=2),
    Kind(
        name="spool-full",
        make=SpoolFull,
        targets=_CONNECTORS,
        lane="brokers",
        lasts_s=(10.0,),
        per_seed=2,
        needs=spool.why_not,
    ),
    Kind(
        name="broker-disk-full",
        make=BrokerDiskFull,
        targets=_BROKERS,
        lane="brokers",
        lasts_s=(4.0,),
        needs=_not_linux,
    ),
)
"""All of them, for the plan."""
