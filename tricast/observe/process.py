"""The answers of one process: what the three endpoints say."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, ProcessCollector

from tricast.observe.beat import Beat
from tricast.observe.exporter import Exporter, Sample
from tricast.observe.standing import STARTING, Fault, Standing, standing_of

LOOP_LATE_S: Final = 5.0
"""A loop that was not seen to run for so long is not ready: it beats four times a second."""
LOOP_DEAD_S: Final = 15.0
"""After so long it is not alive: what holds it up is no single slow step of ours."""
START_S: Final = 60.0
"""What a process may need until its loop runs at all."""
_STATES: Final = ("ready", "degraded", "unready")


class ObservedProcess:
    """What a process says of itself; asked by the thread of the endpoints.

    Args:
        name: E.g. ``connect kambi``.
        version: Of tricast.
        beat: The pulse of its loop.
        dead_s: For how long nothing may move while there is work, seconds.
    """

    def __init__(self, name: str, *, version: str, beat: Beat, dead_s: float) -> None:
        self.name = name
        self._version = version
        self._beat = beat
        self._dead_s = dead_s
        self._system = ProcessCollector(namespace="tricast", registry=CollectorRegistry())
        self._exporter = Exporter(["process", beat.part], [self._own_samples, lambda: self._beat.look.samples])

    def metrics(self) -> bytes:
        """Return the page of ``/metrics``."""
        return self._exporter.text()

    def readyz(self) -> tuple[int, Mapping[str, Any]]:
        """Return status and body of ``/readyz``: 200 ready, 200 degraded, 503 not ready."""
        standing = self._standing()
        return 503 if standing.state == "unready" else 200, {
            "process": self.name,
            "state": standing.state,
            "reasons": [_told(fault) for fault in standing.reasons],
        }

    def livez(self) -> tuple[int, Mapping[str, Any]]:
        """Return status and body of ``/livez``: 200 alive, 503 not."""
        faults = tuple(self._deadly())
        return 503 if faults else 200, {
            "process": self.name,
            "state": "stuck" if faults else "alive",
            "reasons": [_told(fault) for fault in faults],
            "loop_silence_s": round(self._beat.silence_s, 3),
            "stalled_s": round(self._beat.look.stalled_s, 3),
        }

    # -- private -----------------------------------------------------------------------------------------------------

    def _standing(self) -> Standing:
        silence_s = self._beat.silence_s
        if not self._beat.beats:
            return STARTING
        if silence_s < LOOP_LATE_S:
            return self._beat.look.standing
        late = Fault(code="loop-stuck", text=f"the event loop has not run for {silence_s:.0f} s", severity="unready")
        return standing_of((late, *self._beat.look.standing.reasons))

    def _deadly(self) -> Iterator[Fault]:
        silence_s, stalled_s = self._beat.silence_s, self._beat.look.stalled_s
        if silence_s >= (LOOP_DEAD_S if self._beat.beats else START_S):
            text = f"the event loop has not run for {silence_s:.0f} s"
            yield Fault(code="loop-stuck", text=text, severity="unready")
        if stalled_s >= self._dead_s:
            text = f"there is work, and nothing has moved for {stalled_s:.0f} s"
            yield Fault(code="stalled", text=text, severity="unready")

    def _own_samples(self) -> Iterator[Sample]:
        state = self._standing().state
        yield Sample("tricast_process_info", (self.name, self._version), 1)
        yield from (Sample("tricast_process_state", (each,), each == state) for each in _STATES)
        yield Sample("tricast_process_alive", (), not any(self._deadly()))
        yield Sample("tricast_process_loop_lag_seconds", (), self._beat.lag.copy())
        yield Sample("tricast_process_loop_silence_seconds", (), self._beat.silence_s)
        for family in self._system.collect():
            for sample in family.samples:
                yield Sample(sample.name, (), sample.value)


def _told(fault: Fault) -> Mapping[str, str]:
    return {"code": fault.code, "severity": fault.severity, "text": fault.text}
