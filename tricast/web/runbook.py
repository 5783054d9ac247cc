"""The runbook as a page, so that a reason leads to its paragraph without any other machine."""

import re
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

from tricast.monitor.verdict import RUNBOOK

_ANCHOR: Final = re.compile(r"[^\w\- ]")


def text() -> str:
    """Return the runbook: of the wheel, or of the tree this runs in."""
    packaged = files("tricast.web").joinpath("runbook.md")
    return (packaged if packaged.is_file() else Path(__file__).parents[2] / RUNBOOK).read_text(encoding="utf-8")


def rendered(markdown: str) -> Markup:
    """Return HTML; that in the text stays text.

    Headings have the ids that links into the file have; a line that begins with a bold word begins one here, too.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", _ANCHOR.sub("", inline.content.lower()).replace(" ", "-"))
        words = [word for word in inline.children or () if word.content or word.type != "text"]
        for end, begin in pairwise(words):
            if (end.type, begin.type) == ("softbreak", "strong_open"):
                end.type = "hardbreak"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704 - of a file of ours, and escaped
