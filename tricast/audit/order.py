"""Records of one key must follow the raw topic: strictly rising source positions, per raw partition."""

from tricast.audit.records import Output
from tricast.audit.report import Report


class Order:
    """Fed with the normalized records of each partition in order. Memory: one position a key and raw partition."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._last: dict[tuple[str, int, bytes, int], tuple[tuple[int, int], str]] = {}

    def observe(self, output: Output) -> None:
        """Record one normalized record."""
        key = (output.topic, output.partition, output.key, output.source_partition)
        source = (output.source_offset, output.index)
        last = self._last.get(key)
        if last is not None and source < last[0]:
            self._report.find(
                "reordered",
                f"{output.place}: source {output.source_partition}/{source[0]}/{source[1]} of key "
                f"{output.key.decode(errors='replace')} comes after {last[0][0]}/{last[0][1]} ({last[1]})",
            )
            return  # the later position stays the mark: one swap is one finding
        self._last[key] = (source, output.place)
