import pytest

from tricast.web.tones import of_health


@pytest.mark.parametrize(
    ("state", "tone"),
    [
        ("live", "ok"),
        ("full", "ok"),
        ("main", "ok"),
        ("to come", "idle"),
        ("finished", "idle"),
        ("left", "idle"),
        ("gapped", "warn"),
        ("none", "warn"),
        ("what nobody knows", "warn"),
        ("down", "bad"),
    ],
)
def test_what_is_as_it_should_be_asks_nobody_to_look(state, tone):
    assert of_health(state) == tone
