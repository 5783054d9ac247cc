import json

import pytest

from tricast.audit.socketio import Bulk, NotJson, PassedOver, Unreadable, read


def message(argument):
    return f'2["message",{json.dumps(argument)}]'.encode()


@pytest.mark.parametrize(
    ("packet", "children"),
    [
        pytest.param(message('[{"mt":4},{"mt":5}]'), [{"mt": 4}, {"mt": 5}], id="bulk"),
        pytest.param(message('{"mt":4}'), [{"mt": 4}], id="bare object"),
        pytest.param(message([{"mt": 4}]), [{"mt": 4}], id="argument that is no string"),
        pytest.param(message("[]"), [], id="empty array"),
        pytest.param(b'2/live,["message","[1]"]', [1], id="namespace"),
        pytest.param(b'217["message","[1]"]', [1], id="acknowledgement id"),
    ],
)
def test_children(packet, children):
    assert read(packet) == Bulk(children)


@pytest.mark.parametrize(
    "packet",
    [
        b'0{"sid":"x"}',
        b"1",
        b"43[]",
        b'4{"message":"no"}',
        b'2["error",{"code":429}]',
        message({"code": 429, "topic": "k"}),
    ],
)
def test_passed_over(packet):
    assert read(packet) == PassedOver()


@pytest.mark.parametrize(
    "packet", [b"", b"hello", b"\xff\xfe", b"2[", b"2{}", b"2[1]", message("nonsense"), message("7"), b'2["message"]']
)
def test_unreadable(packet):
    assert isinstance(read(packet), Unreadable)


def test_broken_child_leaves_its_siblings():
    found = read(message('[{"mt":4,"a":"],[{\\""},{"mt":},{"mt":5,"b":[1,{}]}]'))
    assert isinstance(found, Bulk)
    first, broken, last = found.children
    assert (first, last) == ({"mt": 4, "a": '],[{"'}, {"mt": 5, "b": [1, {}]})
    assert isinstance(broken, NotJson)
