"""The runbook on the page: each reason leads to its paragraph."""

import re

import pytest

from tests.web import pictures
from tests.web.test_app import page
from tricast.monitor.verdict import CODES
from tricast.web.runbook import rendered, text

HTML = rendered(text())


@pytest.mark.parametrize("code", CODES)
def test_each_reason_has_its_heading(code):
    assert HTML.count(f'id="{code}"') == 1


def test_what_the_file_holds_is_no_html():
    html = rendered("### a & `b` (c)\n\n<script>x</script>")
    assert html == '<h3 id="a--b-c">a &amp; <code>b</code> (c)</h3>\n<p>&lt;script&gt;x&lt;/script&gt;</p>\n'


def test_only_a_bold_word_begins_a_line():
    assert (
        rendered("**Means** a\nb.\n**Do** c.") == "<p><strong>Means</strong> a\nb.<br />\n<strong>Do</strong> c.</p>\n"
    )
    assert "<br" not in rendered("a\nb")


async def test_the_page_leads_from_each_reason_to_its_paragraph():
    picture = pictures.degraded()
    async with page(pictures.Stage(picture)) as session:
        async with session.get("/") as response:
            linked = re.findall(r'href="(/runbook#[^"]+)"', await response.text())
        assert linked == [f"/runbook#{reason.code}" for reason in picture.reasons]
        async with session.get("/runbook") as response:
            assert response.status == 200
            assert HTML in await response.text()
