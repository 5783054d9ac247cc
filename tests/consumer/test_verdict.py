"""What health records of real stories say of a key, and why."""

import pytest

from schemas.fastpath.health import FeedHealth
from schemas.kambi.health import EventHealth
from schemas.rms.health import LineHealth
from tests.contracts.written import Written, written
from tests.consumer.story import kambi_story
from tests.core.fastpath import raw as fastpath
from tests.core.rms.approvals import raw as rms
from tricast.consumer.event import Place, event_of
from tricast.consumer.verdict import HealthBook, Verdict
