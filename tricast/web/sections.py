"""A page in sections, each of which can be sent again by itself. Rendering is a pure function of the picture."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tricast.monitor.picture import Picture, Topic
from tricast.web import overview, tones, words
from tricast.web.pipeline import NODE_HEIGHT, NODE_WIDTH, draw
from tricast.web.sparkline import HEIGHT, WIDTH

_ROWS = Markup("<!--rows-->")
"""Where rows go in a section's frame. Whatever vendors write is escaped, so nobody else can write it."""
SHOWN_REASONS = 6
SHOWN_FEEDS = 12
SHOWN_RECENT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a page: one element whose id is ``id``.

    Attributes:
        head: HTML before its rows; all of it when it has none.
        rows: Elements that change by themselves, by their ids.
    """

    id: str
    head: str
    rows: Mapping[str, str]
    tail: str

    @property
    def html(self) -> str:
        """The whole element."""
        return "".join((self.head, *self.rows.values(), self.tail))


Page = Mapping[str, Section]
"""Sections by id, in the order in which they stand."""


def changed(before: Page, after: Page) -> dict[str, str]:
    """Return by id the elements of ``after`` that are not as in ``before``: rows where that will do, else sections."""
    found: dict[str, str] = {}
    for section in after.values():
        old = before.get(section.id)
        same_frame = old is not None and (old.head, old.tail) == (section.head, section.tail)
        if old is None or not same_frame or list(old.rows) != list(section.rows):
            if old is None or old.html != section.html:
                found[section.id] = section.html
        else:
            found |= {row: html for row, html in section.rows.items() if old.rows[row] != html}
    return found


def anchor(kind: str, *names: object) -> str:
    """Return an element id for something whose name may hold any character."""
    text = "\x00".join(map(str, names))
    return f"{kind}-{hashlib.blake2s(text.encode(errors='replace'), digest_size=6).hexdigest()}"


@cache
def environment() -> Environment:
    """Return the templates, compiled once, so that no visitor waits for it; every value in them is escaped."""
    made = Environment(
        loader=PackageLoader("tricast.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"count": words.count, "rate": words.rate, "span": words.span, "size": words.size}
    made.globals |= {"clock": words.clock, "iso": words.iso, "anchor": anchor, "tone_of": tones.of_health}
    made.globals |= {"spark_width": WIDTH, "spark_height": HEIGHT, "box_width": NODE_WIDTH, "box_height": NODE_HEIGHT}
    for name in made.list_templates():
        made.get_template(name)
    return made


class Sections:
    """Renders pictures.

    Args:
        templates: As ``environment`` makes them.
    """

    def __init__(self, templates: Environment) -> None:
        self._templates = templates
        self._rows: Any = templates.get_template("rows.html").module

    def overview(self, picture: Picture) -> Page:
        """Return the sections of the first page."""
        now = picture.at_ms
        drawing = draw(picture.edges)
        node_tones = _node_tones(picture)
        lines = overview.line_cards(picture)
        topics = overview.topic_rows(picture)
        named = tones.named(picture)
        return _page(
            self.verdict(picture),
            self._section("feeds", picture, cards=overview.feed_cards(picture)),
            self._section("recent", picture, shown=SHOWN_RECENT),
            self._section(
                "pipeline",
                picture,
                rows=((anchor("edge", arrow.source, arrow.target), self._rows.edge(arrow)) for arrow in drawing.arrows),
                drawing=drawing,
                node_tones=node_tones,
                prefix=_prefix(picture),
            ),
            self._section("lines", picture, lines=lines, unwell=overview.unwell(picture), shown=SHOWN_FEEDS),
            self._section(
                "topics",
                picture,
                rows=(
                    (anchor("topic", row.topic.name), self._rows.topic(row, first, now, row.topic.name in named))
                    for rows in topics.values()
                    for first, row in ((index == 0, row) for index, row in enumerate(rows))
                ),
            ),
            self._section(
                "groups",
                picture,
                rows=(
                    (anchor("group", group.name), self._rows.group(group, group.name in named))
                    for group in sorted(picture.groups, key=lambda group: (not group.ours, group.name))
                ),
            ),
        )

    def topic(self, picture: Picture, topic: Topic) -> Page:
        """Return the sections of one topic's page."""
        (row,) = (row for rows in overview.topic_rows(picture).values() for row in rows if row.topic.name == topic.name)
        readers = [
            (group, {at.number: at for at in group.partitions if at.topic == topic.name})
            for group in picture.groups
            if any(at.topic == topic.name for at in group.partitions)
        ]
        here = [recent for recent in picture.recent if recent.topic == topic.name]
        return _page(
            self.verdict(picture),
            self._section("topic", picture, row=row, here=here),
            self._section(
                "partitions",
                picture,
                rows=(
                    (f"partition-{each.number}", self._rows.partition(each, readers, picture.at_ms))
                    for each in topic.partitions
                ),
                topic=topic,
                readers=readers,
            ),
        )

    def verdict(self, picture: Picture) -> Section:
        """Return the first section of every page: how it is, and why."""
        return self._section("verdict", picture, tone=tones.OF_VERDICT[picture.state], shown=SHOWN_REASONS)

    def _section(self, name: str, picture: Picture, rows: Iterable[tuple[str, str]] = (), **values: object) -> Section:
        template = self._templates.get_template(f"sections/{name}.html")
        found = dict(rows)
        frame = template.render(picture=picture, now=picture.at_ms, rows=_ROWS, count_of_rows=len(found), **values)
        head, _, tail = frame.partition(_ROWS)
        return Section(id=name, head=head, rows={key: str(html) for key, html in found.items()}, tail=tail)


def _page(*sections: Section) -> Page:
    return {section.id: section for section in sections}


def _prefix(picture: Picture) -> str:
    """Return what is put before every topic of ours: the drawing leaves it out."""
    ours = next((topic for topic in picture.topics if topic.registry), None)
    return ours.name.removesuffix(ours.registry or "") if ours else ""


def _node_tones(picture: Picture) -> Mapping[str, tones.Tone]:
    found: dict[str, tones.Tone] = {}
    for feed in {line.feed for line in picture.lines}:
        states: Sequence[tones.Tone] = [
            tones.of_health(line.state, line.reason) for line in picture.lines if line.feed == feed
        ]
        found[f"connector/{feed}"] = tones.together(states)
    named = tones.named(picture)
    for kind, names in (("topic", (t.name for t in picture.topics)), ("group", (g.name for g in picture.groups))):
        found |= {f"{kind}/{name}": "warn" if name in named else "ok" for name in names}
    return found
