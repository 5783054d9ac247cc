import pytest

from connectors.kambi import keys
from connectors.kambi.keys import RoutingKey

VALID = {
    "v2018.kambi.en.ev.json": RoutingKey(offering="kambi", channel="general", language="en"),
    "v2018.kambi.ev.json": RoutingKey(offering="kambi", channel="general"),
    "v2018.kambi.en.ev.1020000001.json": RoutingKey(offering="kambi", channel="event", language="en", event=1020000001),
    "v2018.kambi.ev.1020000001.json": RoutingKey(offering="kambi", channel="event", event=1020000001),
    "v2018.kambi.en.ext.ev.json": RoutingKey(offering="kambi", channel="extended", language="en"),
    "v2018.kambi.ext.ev.json": RoutingKey(offering="kambi", channel="extended"),
    "v2018.kambi.bh.json": RoutingKey(offering="kambi", channel="settled"),
    "v2018.ubusnj.en_GB.ev.7.json": RoutingKey(offering="ubusnj", channel="event", language="en_GB", event=7),
    "v2018.32red.ev.json": RoutingKey(offering="32red", channel="general"),
}


@pytest.mark.parametrize(("text", "key"), VALID.items(), ids=VALID)
def test_a_key_parses_and_builds(text, key):
    assert keys.parse(text) == key
    assert str(key) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "kambi.en.ev.json",
        "ub.ev.json",
        "v2018.kambi.json",
        "v2018.kambi.ev",
        "v2018.kambi.ev.json ",
        "v2018.kambi.ev.json\n",
        "v2018.Kambi.ev.json",
        "v2018.kambi.EN.ev.json",
        "v2018.kambi.en_gb.ev.json",
        "v2018.kambi.eng.ev.json",
        "v2018.kambi.ev.12a.json",
        "v2018.kambi.ev..json",
        "v2018.kambi.ev.\u0661.json",
        "v2018.kambi.ext.ev.7.json",
        "v2018.kambi.en.ext.ev.7.json",
        "v2018.kambi.en.bh.json",
        "v2018.kambi.ext.bh.json",
        "v2018.kambi.bh.7.json",
    ],
)
def test_what_is_no_key_is_refused(text):
    assert keys.parse(text) is None


def test_keys_come_in_pairs_of_language_and_neutral():
    assert keys.general_pair("ub", "en_GB") == ("v2018.ub.en_GB.ev.json", "v2018.ub.ev.json")
    assert keys.event_pair("ub", "en", 7) == ("v2018.ub.en.ev.7.json", "v2018.ub.ev.7.json")
