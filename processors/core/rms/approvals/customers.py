"""The customers of one stream task: their time, their coverage, how many of their approvals named a code alone."""

from processors.core.rms.approvals.book import Book
from processors.core.rms.approvals.coverage import Run, follow
from schemas.rms.pending import Time


class Customers:
    """What the join is told of customers as a whole.

    Args:
        book: Lines and customers; kept in the store by itself.
    """

    def __init__(self, book: Book) -> None:
        self._book = book
        self._ended: dict[str, list[Run]] = {}

    def advance(self, customer: str, received_ns: int) -> None:
        """Let the customer's time pass up to a record."""
        entry = self._book.customer(customer)
        if received_ns > entry.now_ns:
            entry.now_ns = received_ns
            self._book.put_customer(customer)

    def now_ns(self, customer: str) -> int:
        """Return the customer's time: the greatest time of receipt so far, UTC ns."""
        return self._book.customer(customer).now_ns

    def by_code(self, customer: str) -> int:
        """Return how many approvals of the customer named a code alone."""
        return self._book.customer(customer).by_code

    def count_by_code(self, customer: str) -> int:
        """Count one more of them; return its number."""
        entry = self._book.customer(customer)
        entry.by_code += 1
        self._book.put_customer(customer)
        return entry.by_code

    def begun(self, customer: str) -> None:
        """A line of the customer covers from now on."""
        self._ended.setdefault(customer, [])

    def ended(self, customer: str, covered: Run) -> None:
        """A line of the customer covered that, and does so no more."""
        self._ended.setdefault(customer, []).append(covered)

    def times(self, ticked: str | None) -> list[Time]:
        """Return what there is to tell of time, after all that a record said.

        A customer's time is told with each tick, and whenever a run of its coverage begins or ends.

        Args:
            ticked: The customer whose line ticked.
        """
        told: list[Time] = []
        for customer in sorted(self._ended.keys() | ({ticked} if ticked is not None else set())):
            told += self._times(customer, is_tick=customer == ticked)
        self._ended.clear()
        return told

    def _times(self, customer: str, *, is_tick: bool) -> list[Time]:
        entry = self._book.customer(customer)
        before = entry.run
        runs = follow(before, self._book.live(customer), self._ended.get(customer, ()))
        entry.run = runs[-1]
        self._book.put_customer(customer)
        if len(runs) == 1 and not is_tick and _since(before) == _since(entry.run):
            return []
        return [
            Time(
                customer=customer,
                now_ns=entry.now_ns,
                since_ns=None if run is None else run.since_ns,
                proven_ns=None if run is None else run.until_ns,
                by_code=entry.by_code,
            )
            for run in runs
        ]


def _since(run: Run | None) -> int | None:
    return None if run is None else run.since_ns
