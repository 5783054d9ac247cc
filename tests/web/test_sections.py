"""What is drawn of a picture, and what is sent of it again."""

import re

import pytest
from msgspec.structs import replace

from tests.web import pictures
from tricast.monitor.picture import Feed, Line, Reason
from tricast.web.sections import Sections, anchor, changed, environment

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&<!--rows-->"
SECTIONS = Sections(environment())


def html_of(page):
    return "".join(section.html for section in page.values())


def test_what_vendors_wrote_is_escaped_wherever_it_stands():
    picture = pictures.degraded()
    line = replace(picture.lines[0], name=HOSTILE, state=HOSTILE, reason=HOSTILE, details={HOSTILE: HOSTILE})
    feed = Feed(feed="kambi", name=HOSTILE, state=HOSTILE, since_ms=0, reason=HOSTILE, details={HOSTILE: HOSTILE})
    hostile = replace(
        picture,
        reasons=(Reason(code=HOSTILE, subject=HOSTILE, text=HOSTILE, since_ms=0),),
        kafka=replace(picture.kafka, reachable=False, error=HOSTILE),
        topics=(replace(picture.topics[0], registry=HOSTILE),),
        groups=(replace(picture.groups[0], name=HOSTILE, state=HOSTILE),),
        lines=(line,),
        feeds=(feed,),
        counts=(replace(picture.counts[0], what=HOSTILE, state=HOSTILE),),
        recent=(replace(picture.recent[0], title=HOSTILE, key=HOSTILE, feed=HOSTILE, topic=HOSTILE),),
        edges=(replace(picture.edges[0], source=f"topic/{HOSTILE}"),),
    )
    plain = html_of(SECTIONS.overview(replace(hostile, recent=(), edges=())))
    for html in (html_of(SECTIONS.overview(hostile)), html_of(SECTIONS.topic(hostile, hostile.topics[0]))):
        assert not re.search(r"<(script|img|!--)|\son\w+=", html.replace("onerror=alert(1)&gt;", ""))
    assert plain.count("&lt;script&gt;") >= 12


def test_nothing_is_sent_again_of_what_is_the_same():
    assert changed(SECTIONS.overview(pictures.degraded()), SECTIONS.overview(pictures.degraded())) == {}


def test_time_alone_changes_nothing():
    """Ages are filled in by the browser."""
    picture = pictures.degraded()
    assert changed(SECTIONS.overview(picture), SECTIONS.overview(replace(picture, at_ms=picture.at_ms + 5_000))) == {}


def test_of_a_table_only_the_row_that_is_new_is_sent():
    picture = pictures.healthy()
    topics = list(picture.topics)
    topics[2] = replace(topics[2], rate=77.0, kind="other")
    name = topics[2].name
    found = changed(SECTIONS.overview(picture), SECTIONS.overview(replace(picture, topics=tuple(topics))))
    assert list(found) == ["feeds", "topics"], "its place among the rows is another"
    topics[2] = replace(topics[2], kind="normalized")
    found = changed(SECTIONS.overview(picture), SECTIONS.overview(replace(picture, topics=tuple(topics))))
    assert list(found) == ["feeds", anchor("topic", name)]
    assert ">77.0<" in found[anchor("topic", name)]


def test_of_the_drawing_only_the_arrow_whose_rate_is_new_is_sent():
    picture = pictures.healthy()
    edges = (replace(picture.edges[0], rate=3.0), *picture.edges[1:])
    found = changed(SECTIONS.overview(picture), SECTIONS.overview(replace(picture, edges=edges)))
    assert list(found) == [anchor("edge", edges[0].source, edges[0].target)]


def test_a_line_that_comes_makes_its_section_new():
    picture = pictures.healthy()
    line = Line(feed="rms", name="rms-1", state="down", since_ms=0, reason="refused")
    found = changed(SECTIONS.overview(picture), SECTIONS.overview(replace(picture, lines=(*picture.lines, line))))
    assert set(found) == {"verdict", "feeds", "lines", "pipeline"} - {"feeds"}


def test_every_element_that_is_sent_has_its_id():
    page = SECTIONS.overview(pictures.large())
    for id_, html in changed({}, page).items() | {item for each in page.values() for item in each.rows.items()}:
        assert re.match(rf'\s*<\w+ id="{id_}"', html)


def test_ids_are_used_once():
    ids = re.findall(r'\sid="([^"]+)"', html_of(SECTIONS.overview(pictures.large())))
    assert len(ids) == len(set(ids))


def test_a_large_picture_stays_small():
    """50 topics of 12 partitions, 500 fixtures, 200 findings: bytes before compression, all at once and each second."""
    picture = pictures.large()
    page = SECTIONS.overview(picture)
    assert len(html_of(page)) < 400_000
    topics = tuple(
        replace(topic, rate=topic.rate + 1, newest_ms=(topic.newest_ms or 0) + 1_000, history=(*topic.history[1:], 1.0))
        for topic in picture.topics
    )
    again = changed(page, SECTIONS.overview(replace(picture, topics=topics)))
    assert sum(map(len, again.values())) < 80_000


def test_it_says_first_how_it_is_and_why():
    text = re.sub(r"<[^>]+>|\s+", " ", SECTIONS.verdict(pictures.degraded()).html)
    assert (
        re.sub(" +", " ", text)
        .strip()
        .startswith("Degraded : line kambi-2-general is down: no pong for 25 s and 2 more")
    )


def test_without_kafka_it_says_so_and_since_when_the_numbers_stand():
    html = SECTIONS.verdict(pictures.away(pictures.healthy(), for_s=65)).html
    assert 'data-kafka="away"' in html
    assert "nothing listens at 127.0.0.1:9092" in html
    assert "20:14:03 UTC, and stand still" in html


def test_while_kafka_is_away_the_numbers_stay():
    before = SECTIONS.overview(pictures.healthy())
    after = SECTIONS.overview(pictures.away(pictures.healthy(), for_s=65))
    assert set(changed(before, after)) == {"verdict"}


@pytest.mark.parametrize("live", [3, 30], ids=["few", "many"])
def test_lines_that_are_well_are_small_when_they_are_many(live):
    picture = pictures.healthy()
    line = picture.lines[0]
    lines = tuple(replace(line, name=f"line-{n}") for n in range(live))
    down = replace(line, name="line-x", state="down")
    html = SECTIONS.overview(replace(picture, lines=(*lines, down)))["lines"].html
    assert html.count("<article") == (live + 1 if live < 9 else 1)
    assert html.index("line-x") < html.index("line-1")
