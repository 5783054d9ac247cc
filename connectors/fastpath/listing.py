"""Has a sport's list of live fixtures, page by page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from connectors.fastpath.fixtures import PAGE_SIZE, Fixture, Listing, Page, read_page
from connectors.fastpath.paths import lists_of, takes_a_filter
from connectors.fastpath.rest import Answer, Broken, FastpathRest, NotFound, Refused, Unauthorised

MOST_PAGES: Final = 50


@dataclass(frozen=True, slots=True)
class NoList:
    """The API answered with something else than a list."""

    detail: str


Failure = Unauthorised | NotFound | Refused | Broken | NoList


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list, as far as it could be had.

    Attributes:
        listing: What it says.
        unreadable: Entries that name no fixture.
        failure: Why it is not the whole list, when a page after the first failed.
    """

    listing: Listing
    unreadable: int
    failure: Failure | None


class Lister:
    """Asks for lists.

    Args:
        rest: Client of the REST API.
        types: Fixtures of other types are left out; those that name none are not.
    """

    def __init__(self, rest: FastpathRest, *, types: Iterable[str]) -> None:
        self._rest = rest
        self._types = frozenset(types)
        self._place: dict[str, int] = {}

    async def list(self, sport: str) -> Listed | Failure:
        """Return the list of live fixtures of ``sport``."""
        fixtures: dict[str, Fixture] = {}
        unreadable, query = 0, self._query(sport)
        for number in range(MOST_PAGES):
            page = await self._page(sport, query, number)
            if not isinstance(page, Page):
                return page if number == 0 else self._listed(sport, fixtures, unreadable, failure=page)
            unreadable += page.unreadable
            known = len(fixtures)
            fixtures.update((fixture.id, fixture) for fixture in page.fixtures)
            # A page that tells nothing new: the server heeds no paging and says the same again, or it was the last.
            if page.more is None or (number and len(fixtures) == known):
                return self._listed(sport, fixtures, unreadable, whole=not unreadable)
            query = {**query, **page.more}
        return self._listed(sport, fixtures, unreadable)

    # -- private -----------------------------------------------------------------------------------------------------

    async def _page(self, sport: str, query: dict[str, str], number: int) -> Page | Failure:
        places = lists_of(sport)
        finding = await self._rest.get(places[self._place.get(sport, 0)], query)
        if isinstance(finding, NotFound) and number == 0:
            self._place[sport] = (self._place.get(sport, 0) + 1) % len(places)  # for the next time
        if not isinstance(finding, Answer):
            return finding
        page = read_page(finding.document, sport=sport, number=number)
        return page if page is not None else NoList(self._rest.shown(repr(finding.document)))

    def _query(self, sport: str) -> dict[str, str]:
        if not takes_a_filter(sport):
            return {}
        query = {"live": "true", "paged": "true", "size": str(PAGE_SIZE), "page": "0"}
        return {**query, "type": next(iter(self._types))} if len(self._types) == 1 else query

    def _listed(
        self,
        sport: str,
        fixtures: dict[str, Fixture],
        unreadable: int,
        *,
        whole: bool = False,
        failure: Failure | None = None,
    ) -> Listed:
        wanted = tuple(each for each in fixtures.values() if not each.type or each.type in self._types)
        return Listed(
            listing=Listing(sport=sport, fixtures=wanted, whole=whole), unreadable=unreadable, failure=failure
        )
