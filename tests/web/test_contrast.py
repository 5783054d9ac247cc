"""Can the colours be read: contrast by WCAG 2, from the style sheet itself."""

import re
from importlib.resources import files

import pytest

_STYLES = files("tricast.web").joinpath("static/status.css").read_text()
_COLOURS = {name: pair for name, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", _STYLES)}
_PAIRS = [
    *((ink, ground) for ink in ("ink", "quiet", "link", "ok", "warn", "bad", "idle") for ground in ("ground", "panel")),
    *((tone, f"{tone}-ground") for tone in ("ok", "warn", "bad", "idle")),
    *(("ink", f"{tone}-ground") for tone in ("ok", "warn", "bad", "idle")),
]


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), _PAIRS)
def test_text_stands_out_from_its_ground(ink, ground, theme):
    light, dark = sorted((luminance(_COLOURS[ink][theme]), luminance(_COLOURS[ground][theme])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
