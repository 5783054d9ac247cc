from hypothesis import given
from hypothesis import strategies as st

from tests.web import pictures
from tricast.monitor.picture import Edge
from tricast.web.pipeline import NODE_HEIGHT, NODE_WIDTH, draw


def columns_of(edges):
    drawing = draw(edges)
    places = sorted({box.x for box in drawing.boxes})
    return {box.name: places.index(box.x) for box in drawing.boxes}


def edge(source, target, feed="kambi"):
    return Edge(feed=feed, source=source, target=target, rate=1.0)


def test_records_go_from_left_to_right():
    columns = columns_of(pictures.healthy().edges)
    assert all(columns[edge.source] < columns[edge.target] for edge in pictures.healthy().edges)
    assert columns["vendor/kambi"] == 0
    assert columns["topic/tricast.rms.decisions"] == max(columns.values())


def test_a_topic_that_others_fill_stands_beside_who_reads_it():
    columns = columns_of(pictures.healthy().edges)
    assert columns["group/tricast.rms.bets"] == columns["topic/tricast.rms.pending"] - 1
    assert columns["topic/tricast.rms.bets"] == columns["group/tricast.rms.bets"] - 1


def test_what_leads_back_moves_nothing():
    way = [edge("vendor", "connector"), edge("connector", "raw"), edge("raw", "group"), edge("group", "commands")]
    assert columns_of([*way, edge("commands", "connector")]) == columns_of(way)


def test_rates_move_nothing():
    at, later = pictures.healthy(), pictures.healthy(pictures.AT_MS + 4_000)
    assert at.edges != later.edges
    assert draw(at.edges).boxes == draw(later.edges).boxes


nodes = st.sampled_from("abcdefgh")


@given(
    st.lists(
        st.builds(Edge, feed=st.sampled_from("xy"), source=nodes, target=nodes, rate=st.none() | st.floats(0, 1e9))
    )
)
def test_whatever_leads_where_no_two_nodes_overlap(edges):
    drawing = draw(edges)
    assert {box.name for box in drawing.boxes} == {name for edge in edges for name in (edge.source, edge.target)}
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - NODE_WIDTH
        assert NODE_HEIGHT / 2 <= box.y <= drawing.height - NODE_HEIGHT / 2
        others = [other for other in drawing.boxes if other is not box and abs(other.x - box.x) < NODE_WIDTH]
        assert all(abs(other.y - box.y) >= NODE_HEIGHT for other in others)
