"""What the vendor should not send: nothing stops, no sibling is lost, nothing is silent."""

import json

import pytest

from processors.core.kambi.processor import KambiProcessor
from schemas.kambi.codes import Code, Count
from tests.core.driver import DeadLetter, Driver
from tests.core.kambi.frames import frame, odds, packet, status

SOURCE = "tricast.kambi.raw/0/0"
GOOD = status()
DEEP = "[" * 200_000 + "]" * 200_000


def run(value: bytes) -> Driver:
    driver = Driver(KambiProcessor())
    driver.feed(value)
    return driver


WHOLE_FRAMES = {
    "empty": (b"", Code.NOT_A_PACKET),
    "text": (b"hello", Code.NOT_A_PACKET),
    "bytes": (b"\xff\xfe\x00", Code.NOT_A_PACKET),
    "payload that is not JSON": (b"2hello", Code.NOT_JSON),
    "payload that is an object": (b'2{"message":1}', Code.NOT_JSON),
    "payload cut off": (frame(GOOD)[:-20], Code.NOT_JSON),
    "payload without event name": (b"2[]", Code.NOT_JSON),
    "payload nested deeply": (b"2" + DEEP.encode(), Code.NOT_JSON),
    "inner text that is not JSON": (packet("hello"), Code.NOT_JSON),
    "inner NaN": (packet("NaN"), Code.NOT_JSON),
    "inner empty text": (packet(""), Code.NOT_JSON),
    "inner string": (packet('"hello"'), Code.NOT_AN_ARRAY),
    "inner number": (packet("17"), Code.NOT_AN_ARRAY),
    "inner null": (packet("null"), Code.NOT_AN_ARRAY),
    "argument null": (b'2["message",null]', Code.NOT_AN_ARRAY),
    "no argument": (b'2["message"]', Code.NOT_AN_ARRAY),
    "two arguments": (b'2["message","[]","[]"]', Code.NOT_AN_ARRAY),
    "binary message": (b'51-["message",{"_placeholder":true,"num":0}]', Code.BINARY),
}


@pytest.mark.parametrize(("value", "code"), WHOLE_FRAMES.values(), ids=WHOLE_FRAMES.keys())
def test_unreadable_frame_is_one_dead_letter_without_index(value: bytes, code: Code):
    driver = run(value)
    assert driver.dead_letters == [DeadLetter(value, code, None, SOURCE)]
    assert driver.outputs == []


PASSED_OVER = {
    "connect": (b'0{"sid":"x"}', Count.CONTROL_PACKET),
    "connect of a namespace": (b'0/kambi,{"sid":"x"}', Count.CONTROL_PACKET),
    "disconnect": (b"1", Count.CONTROL_PACKET),
    "connect error": (b'4{"message":"no"}', Count.CONTROL_PACKET),
    "engine ping": (b"2", Count.CONTROL_PACKET),
    "engine probe": (b"3probe", Count.CONTROL_PACKET),
    "engine noop": (b"6", Count.CONTROL_PACKET),
    "ack": (b"30[]", Count.ACK),
    "binary ack": (b'61-0[{"_placeholder":true,"num":0}]', Count.ACK),
    "other event": (b'2["error",{"code":429,"message":"no","topic":"v2018.kambi.ev.json"}]', Count.OTHER_EVENT),
    "429 as a string": (packet('{"code":429,"message":"no","topic":"v2018.kambi.ev.json"}'), Count.SUBSCRIPTION_ERROR),
    "429 as an object": (b'2["message",{"topic":"v2018.kambi.ev.json","code":429}]', Count.SUBSCRIPTION_ERROR),
    "empty array": (packet("[]"), Count.EMPTY_BULK),
    "empty array with space": (packet(" [ \n] "), Count.EMPTY_BULK),
    "empty array as it is": (b'2["message",[]]', Count.EMPTY_BULK),
}


@pytest.mark.parametrize(("value", "count"), PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_packet_without_candidates_is_counted_only(value: bytes, count: Count):
    driver = run(value)
    assert (driver.outputs, driver.dead_letters, dict(driver.counts)) == ([], [], {count: 1})


CHILDREN = {
    "empty": ("", Code.CHILD_NOT_JSON),
    "junk": ("junk", Code.CHILD_NOT_JSON),
    "junk inside": ('{"mt":8,"bosu":nope}', Code.CHILD_NOT_JSON),
    "NaN": ('{"mt":8,"bosu":{"eventId":1,"betOfferId":NaN}}', Code.CHILD_NOT_JSON),
    "Infinity in an extra field": ('{"mt":18,"er":{"eventId":1},"x":-Infinity}', Code.CHILD_NOT_JSON),
    "closer that fits nothing": ('{"mt":18,"er":{"eventId":1]}}', Code.CHILD_NOT_JSON),
    "array closed too early": ('{"mt":18,"er":{"eventId":1}}]', Code.CHILD_NOT_JSON),
    "control character": ('{"mt":18,"er":{"eventId":1},"x":"a\u0000b"}', Code.CHILD_NOT_JSON),
    "half a pair, escaped": (r'{"mt":18,"er":{"eventId":1},"x":"\ud800"}', Code.CHILD_NOT_JSON),
    "broken UTF-8": ('{"mt":18,"er":{"eventId":1},"x":"\udcff\udcfe"}', Code.BAD_UTF8),
    "nested deeply in an extra field": (f'{{"mt":18,"er":{{"eventId":1}},"x":{DEEP}}}', Code.TOO_DEEP),
    "nested deeply in the element": (f'{{"mt":18,"er":{{"eventId":{DEEP}}}}}', Code.TOO_DEEP),
    "nested deeply and a colon escaped": (r'{"mt":18,"x":"\u003a","y":%s}' % ("[" * 3000 + "]" * 3000), Code.TOO_DEEP),
    "duplicate key": ('{"mt":18,"er":{"eventId":1,"eventId":2}}', Code.DUPLICATE_KEY),
    "duplicate key of the envelope": ('{"mt":18,"mt":18,"er":{"eventId":1}}', Code.DUPLICATE_KEY),
    "duplicate key, one escaped": (r'{"mt":18,"er":{"eventId":1},"\u0065r":{"eventId":2}}', Code.DUPLICATE_KEY),
    "duplicate key beside an escaped colon": (r'{"mt":18,"er":{"eventId":1,"eventId":"\u003a"}}', Code.DUPLICATE_KEY),
    "duplicate key hidden by an escaped colon": (
        r'{"mt":18,"er":{"eventId":1},"x":1,"x":"\u003a"}',
        Code.DUPLICATE_KEY,
    ),
    "id as an inexact float": ('{"mt":18,"er":{"eventId":9007199254740993.0}}', Code.INEXACT_NUMBER),
    "id with an exponent": ('{"mt":18,"er":{"eventId":1e30}}', Code.INEXACT_NUMBER),
    "number": ("17", Code.NOT_AN_OBJECT),
    "array": ("[1]", Code.NOT_AN_OBJECT),
    "null": ("null", Code.NOT_AN_OBJECT),
    "no mt": ('{"t":"1","er":{"eventId":1}}', Code.NO_TYPE),
    "mt a string": ('{"mt":"18","er":{"eventId":1}}', Code.NO_TYPE),
    "mt a boolean": ('{"mt":true,"er":{"eventId":1}}', Code.NO_TYPE),
    "mt null": ('{"mt":null,"er":{"eventId":1}}', Code.NO_TYPE),
    "mt unknown": ('{"mt":99,"xx":{"eventId":1}}', Code.UNKNOWN_TYPE),
    "mt huge": ('{"mt":%s}' % ("9" * 400), Code.UNKNOWN_TYPE),
    "score without sides": ('{"mt":16,"score":{"eventId":1,"score":{}}}', Code.BAD_ELEMENT),
    "element missing": ('{"t":"1","mt":18}', Code.NO_ELEMENT),
    "element null": ('{"mt":18,"er":null}', Code.NO_ELEMENT),
    "element unclear": ('{"mt":18,"a":{"eventId":1},"b":{"eventId":2}}', Code.NO_ELEMENT),
    "element a string": ('{"mt":18,"er":"1"}', Code.BAD_ELEMENT),
    "element an array": ('{"mt":18,"er":[1]}', Code.BAD_ELEMENT),
    "element of another type": ('{"mt":7,"bor":{"eventId":1}}', Code.BAD_ELEMENT),
    "id a word": ('{"mt":18,"er":{"eventId":"one"}}', Code.BAD_ELEMENT),
    "id a fraction": ('{"mt":18,"er":{"eventId":1.5}}', Code.BAD_ELEMENT),
    "id a fraction in a string": ('{"mt":18,"er":{"eventId":"1.0"}}', Code.BAD_ELEMENT),
    "id negative": ('{"mt":18,"er":{"eventId":-1}}', Code.BAD_ELEMENT),
    "id beyond 2^63": ('{"mt":18,"er":{"eventId":9223372036854775808}}', Code.BAD_ELEMENT),
    "id beyond 2^63 in a string": ('{"mt":18,"er":{"eventId":"9223372036854775808"}}', Code.BAD_ELEMENT),
    "id of 400 digits": ('{"mt":18,"er":{"eventId":%s}}' % ("9" * 400), Code.BAD_ELEMENT),
    "id of 5000 digits": ('{"mt":18,"er":{"eventId":%s}}' % ("9" * 5000), Code.CHILD_NOT_JSON),
    "id with a newline": (r'{"mt":18,"er":{"eventId":"1\n"}}', Code.BAD_ELEMENT),
    "odds a word": ('{"mt":11,"boou":{"eventId":1,"outcomes":[{"id":1,"betOfferId":2,"odds":"x"}]}}', Code.BAD_ELEMENT),
    "odds below 1": (odds('{"id":1,"betOfferId":2,"odds":999}'), Code.BAD_ODDS),
    "odds zero": (odds('{"id":1,"betOfferId":2,"odds":0}'), Code.BAD_ODDS),
    "odds -2": (odds('{"id":1,"betOfferId":2,"odds":-2}'), Code.BAD_ODDS),
    "outcomes empty": (odds(), Code.NO_OUTCOMES),
    "outcomes missing": ('{"mt":11,"boou":{"eventId":1}}', Code.BAD_ELEMENT),
    "outcomes an object": ('{"mt":11,"boou":{"eventId":1,"outcomes":{}}}', Code.BAD_ELEMENT),
    "removed offer that nobody knows": ('{"mt":7,"bor":{"betOfferId":1}}', Code.NO_EVENT_ID),
    "no offer id": (odds('{"id":1,"odds":1500}'), Code.NO_OFFER_ID),
    "two event ids, leo and its live data": (
        '{"mt":5,"leo":{"event":{"id":1},"liveData":{"eventId":2,"score":{"home":"0","away":"0"}}}}',
        Code.ID_CONFLICT,
    ),
    "two event ids, ticker": ('{"mt":19,"tu":{"eventId":1,"ticker":{"id":1,"eventId":2}}}', Code.ID_CONFLICT),
    "two event ids, settled": ('{"mt":24,"os":{"eventId":1,"outcomes":[{"id":1,"eventId":2}]}}', Code.ID_CONFLICT),
    "leo with a broken clock": (
        '{"mt":5,"leo":{"event":{"id":1},"liveData":{"matchClock":{"minute":"x"}}}}',
        Code.BAD_ELEMENT,
    ),
    "abos without event": ('{"mt":9,"abos":{}}', Code.NO_EVENT_ID),
    "mcr without event": ('{"mt":12,"mcr":{"eventId":null}}', Code.NO_EVENT_ID),
    "clock missing": ('{"mt":15,"mcu":{"eventId":1}}', Code.BAD_ELEMENT),
    "clock that says nothing": ('{"mt":15,"mcu":{"eventId":1,"matchClock":{"version":7,"min":3}}}', Code.BAD_ELEMENT),
    "clock with a fraction": ('{"mt":15,"mcu":{"eventId":1,"matchClock":{"minute":1.5}}}', Code.BAD_ELEMENT),
    "clock running maybe": ('{"mt":15,"mcu":{"eventId":1,"matchClock":{"running":"true"}}}', Code.BAD_ELEMENT),
    "clock without event": ('{"mt":15,"mcu":{"matchClock":{"minute":1}}}', Code.NO_EVENT_ID),
    "minute beyond 64 bits": (
        '{"mt":15,"mcu":{"eventId":1,"matchClock":{"minute":9223372036854775808}}}',
        Code.BAD_ELEMENT,
    ),
    "score of one side": ('{"mt":16,"score":{"eventId":1,"score":{"home":"1"}}}', Code.BAD_ELEMENT),
    "score a text": ('{"mt":16,"score":{"eventId":1,"score":"2-1"}}', Code.BAD_ELEMENT),
    "score a fraction": ('{"mt":16,"score":{"eventId":1,"score":{"home":1.5,"away":0}}}', Code.BAD_ELEMENT),
    "score flat": ('{"mt":16,"score":{"eventId":1,"home":"1","away":"0"}}', Code.BAD_ELEMENT),
    "statistics that say nothing": ('{"mt":17,"stats":{"eventId":1,"statistics":{"tennis":{}}}}', Code.BAD_ELEMENT),
    "statistics an array": ('{"mt":17,"stats":{"eventId":1,"statistics":[]}}', Code.BAD_ELEMENT),
    "sets as text": ('{"mt":17,"stats":{"eventId":1,"statistics":{"sets":{"home":["6"]}}}}', Code.BAD_ELEMENT),
    "cards null": ('{"mt":17,"stats":{"eventId":1,"statistics":{"football":{"home":[1]}}}}', Code.BAD_ELEMENT),
    "ticker without id": ('{"mt":19,"tu":{"eventId":1,"message":"x"}}', Code.BAD_ELEMENT),
    "ticker without event": ('{"mt":19,"tu":{"ticker":{"id":1}}}', Code.NO_EVENT_ID),
    "description missing": ('{"mt":20,"desc":{"eventId":1,"text":"x"}}', Code.BAD_ELEMENT),
    "description an object": ('{"mt":20,"desc":{"eventId":1,"description":{"en":"x"}}}', Code.BAD_ELEMENT),
    "settled nothing": ('{"mt":24,"os":{"outcomes":[]}}', Code.NO_OUTCOMES),
    "settled neither key": ('{"mt":24,"os":{"ids":[1]}}', Code.NO_OUTCOMES),
    "settled a word": ('{"mt":24,"os":{"outcomes":["one"]}}', Code.BAD_ELEMENT),
    "settled an object without id": ('{"mt":24,"os":{"outcomes":[{"betOfferId":1}]}}', Code.BAD_ELEMENT),
    "settled null": ('{"mt":24,"os":{"outcomes":[null]}}', Code.BAD_ELEMENT),
    "settled beyond 2^63": ('{"mt":24,"os":{"outcomes":["9223372036854775808"]}}', Code.BAD_ELEMENT),
    "occurrence without id": ('{"mt":25,"mo":{"eventId":1,"action":"ADDED"}}', Code.BAD_ELEMENT),
    "occurrence without event": ('{"mt":25,"mo":{"id":1}}', Code.NO_EVENT_ID),
    "occurrence type an object": ('{"mt":25,"mo":{"id":1,"eventId":1,"occurrenceTypeId":{}}}', Code.BAD_ELEMENT),
    "occurrence properties of numbers": (
        '{"mt":25,"mo":{"id":1,"eventId":1,"additionalProperties":[1]}}',
        Code.BAD_ELEMENT,
    ),
    "visualization without id": ('{"mt":27,"vo":{"eventId":1}}', Code.BAD_ELEMENT),
    "place that is no number": (
        '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"x":"NaN"}}}}',
        Code.BAD_ELEMENT,
    ),
    "place of a million digits": (
        '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"y":1e-999999}}}}',
        Code.BAD_ELEMENT,
    ),
    "place of a million digits in a string": (
        '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"y":"1e999999"}}}}',
        Code.BAD_ELEMENT,
    ),
    "place of nineteen digits": (
        '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"x":1.234567890123456789}}}}',
        Code.BAD_ELEMENT,
    ),
    "place beyond 2^53 with a fraction": (
        '{"mt":27,"vo":{"id":1,"eventId":1,"visualization":{"position":{"x":9007199254740993.5}}}}',
        Code.INEXACT_NUMBER,
    ),
    "statistic without number": ('{"mt":28,"ls":{"eventId":1,"occurrenceTypeId":"X"}}', Code.BAD_ELEMENT),
    "statistic without type": ('{"mt":28,"ls":{"eventId":1,"value":1}}', Code.BAD_ELEMENT),
    "statistic a fraction": ('{"mt":28,"ls":{"eventId":1,"occurrenceTypeId":"X","value":61.5}}', Code.BAD_ELEMENT),
    "status missing": ('{"mt":32,"osu":{"eventId":1,"outcomes":[{"id":1,"betOfferId":2}]}}', Code.BAD_ELEMENT),
    "status without offer": ('{"mt":32,"osu":{"eventId":1,"outcomes":[{"id":1,"status":"OPEN"}]}}', Code.NO_OFFER_ID),
    "status without outcomes": ('{"mt":32,"osu":{"eventId":1,"outcomes":[]}}', Code.NO_OUTCOMES),
    "status without event": (
        '{"mt":32,"osu":{"outcomes":[{"id":1,"betOfferId":2,"status":"OPEN"}]}}',
        Code.NO_EVENT_ID,
    ),
    "state missing": ('{"mt":34,"esu":{"id":1}}', Code.BAD_ELEMENT),
    "offer without id": ('{"mt":6,"boa":{"eventId":1,"betOffer":{}}}', Code.BAD_ELEMENT),
    "offer without event": ('{"mt":6,"boa":{"betOffer":{"id":1,"outcomes":[]}}}', Code.NO_EVENT_ID),
    "offer with outcomes an object": (
        '{"mt":6,"boa":{"eventId":1,"betOffer":{"id":1,"outcomes":{}}}}',
        Code.BAD_ELEMENT,
    ),
    "status of an offer without event": ('{"mt":8,"bosu":{"betOfferId":1}}', Code.NO_EVENT_ID),
    "two event ids": ('{"mt":6,"boa":{"eventId":1,"betOffer":{"id":1,"eventId":2}}}', Code.ID_CONFLICT),
}


@pytest.mark.parametrize(("child", "code"), CHILDREN.values(), ids=CHILDREN.keys())
@pytest.mark.parametrize("place", [0, 1, 2])
def test_bad_child_is_dead_lettered_alone_with_its_exact_bytes(child: str, code: Code, place: int):
    children = [status(2500000001), status(2500000002)]
    children.insert(place, child)
    driver = run(frame(*children))
    exact = child.encode("utf-8", "surrogateescape")
    assert driver.dead_letters == [DeadLetter(exact, code, place, SOURCE)]
    assert [output.header("ce_id") for output in driver.outputs] == [
        f"{SOURCE}/{index}" for index in range(3) if index != place
    ]


def test_array_that_never_ends_costs_its_last_child_only():
    cut = status(2500000002)[:-9]
    driver = run(packet(f"[{GOOD},{cut}"))
    assert driver.dead_letters == [DeadLetter(cut.encode(), Code.CHILD_NOT_JSON, 1, SOURCE)]
    assert len(driver.outputs) == 1


def test_broken_utf8_outside_of_any_string_value_keeps_siblings():
    driver = run(frame(GOOD, "\udcff", status(2500000002)))
    assert driver.dead_letters == [DeadLetter(b"\xff", Code.BAD_UTF8, 1, SOURCE)]
    assert len(driver.outputs) == 2


ODD_BUT_CLEAR = {
    "offer without outcomes": ('{"mt":6,"boa":{"eventId":1,"betOffer":{"id":2}}}', ["offer.added"]),
    "offer with outcomes null": ('{"mt":6,"boa":{"eventId":1,"betOffer":{"id":2,"outcomes":null}}}', ["offer.added"]),
    "combinations of another shape": (
        '{"mt":6,"boa":{"eventId":1,"betOffer":{"id":2,"combinableOutcomes":{"playerOutcomes":{"1":7}}}}}',
        ["offer.added"],
    ),
    "combinations a word": (
        '{"mt":6,"boa":{"eventId":1,"betOffer":{"id":2,"combinableOutcomes":"x"}}}',
        ["offer.added"],
    ),
    "settled without event": ('{"mt":24,"os":{"outcomes":[{"id":1,"betOfferId":2}]}}', ["outcome.settled"]),
    "settled bare ids": ('{"mt":24,"os":{"outcomes":[1,"2"]}}', ["outcome.settled"] * 2),
    "settled under another name": ('{"mt":24,"outcomesSettled":{"outcomeIds":[1]}}', ["outcome.settled"]),
    "leo with live data null": ('{"mt":5,"leo":{"event":{"id":1},"liveData":null}}', ["event.opened"]),
    "leo with live data that says nothing": ('{"mt":5,"leo":{"event":{"id":1},"liveData":{}}}', ["event.opened"]),
    "leo with half a score": (
        '{"mt":5,"leo":{"event":{"id":1},"liveData":{"score":{"home":"1"}}}}',
        ["event.opened"],
    ),
    "unknown enums everywhere": (
        '{"mt":32,"osu":{"eventId":1,"outcomes":[{"id":1,"betOfferId":2,"status":"FROZEN","cashOutStatus":"?"}]}}',
        ["outcomes.status-changed"],
    ),
    "statistics both null but one": (
        '{"mt":17,"stats":{"eventId":1,"statistics":{"football":null,"sets":{}}}}',
        ["statistics.changed"],
    ),
}


@pytest.mark.parametrize(("child", "types"), ODD_BUT_CLEAR.values(), ids=ODD_BUT_CLEAR.keys())
def test_odd_but_clear_messages_are_understood(child: str, types: list[str]):
    driver = run(frame(child))
    assert driver.dead_letters == []
    assert [output.header("ce_type") for output in driver.outputs] == [f"tricast.kambi.{name}.v1" for name in types]


GOOD_CHILDREN = {
    "bare object": packet(GOOD),
    "array itself instead of a string": b'2["message",[' + GOOD.encode() + b"]]",
    "object itself instead of a string": b'2["message",' + GOOD.encode() + b"]",
    "namespace": frame(GOOD).replace(b"2", b"2/kambi,", 1),
    "acknowledgement asked for": frame(GOOD).replace(b"2", b"212", 1),
    "space everywhere": b'2 [ "message" , "\\n[ ' + json.dumps(GOOD).encode()[1:-1] + b' ]\\t" ]',
    "element under another name": frame(GOOD.replace("bosu", "offerStatus")),
    "extra fields": frame(GOOD.replace('"mt"', '"x":{"y":[1,2.5,null]},"mt"')),
    "extra field nested 300 deep": frame(GOOD.replace('"mt"', '"x":' + "[" * 300 + "]" * 300 + ',"mt"')),
    "extra number of 400 digits": frame(GOOD.replace('"mt"', '"x":%s,"mt"' % ("9" * 400))),
    "escaped colon in a text": frame(GOOD.replace('"mt"', r'"x":"a\u003ab","mt"')),
    "mt as a float": frame(GOOD.replace('"mt":8', '"mt":8.0')),
}


@pytest.mark.parametrize("value", GOOD_CHILDREN.values(), ids=GOOD_CHILDREN.keys())
def test_odd_but_clear_frames_are_understood(value: bytes):
    driver = run(value)
    assert driver.dead_letters == []
    assert [json.loads(output.value)["offer_id"] for output in driver.outputs] == [2500000001]


IDS = {
    "number": ("1020000001", 1020000001),
    "string": ('"1020000001"', 1020000001),
    "beyond 2^53": ("9007199254740993", 9007199254740993),
    "string beyond 2^53": ('"9007199254740993"', 9007199254740993),
    "19 digits": ("3002001000000000000", 3002001000000000000),
    "largest": ("9223372036854775807", 9223372036854775807),
    "largest in a string": ('"9223372036854775807"', 9223372036854775807),
}


@pytest.mark.parametrize(("sent", "exact"), IDS.values(), ids=IDS.keys())
def test_ids_stay_exact(sent: str, exact: int):
    child = odds(f'{{"id":{sent},"betOfferId":{sent},"odds":1500}}', event=777).replace("777", sent)
    (output,) = run(frame(child)).outputs
    assert output.key == str(exact).encode()
    assert output.value == (
        b'{"event_id":%d,"vendor_time_ms":1790000000001,"offer_id":%d,"outcomes":[{"id":%d,"odds_thousandths":1500}]}'
        % (exact, exact, exact)
    )


ODDS = {
    "absent": ("", {}),
    "null": (',"odds":null', {}),
    "starting price": (',"odds":-1', {"starting_price": True}),
    "1000 as sent": (',"odds":1000', {"odds_thousandths": 1000}),
    "usual": (',"odds":4700', {"odds_thousandths": 4700}),
}


@pytest.mark.parametrize(("sent", "normalized"), ODDS.values(), ids=ODDS.keys())
def test_odds(sent: str, normalized: dict[str, int]):
    (output,) = run(frame(odds(f'{{"id":1,"betOfferId":2{sent}}}'))).outputs
    assert json.loads(output.value)["outcomes"] == [{"id": 1, **normalized}]


TIMES = {
    "string": ('"1790000000002"', 1790000000002),
    "number": ("1790000000002", 1790000000002),
    "missing": (None, None),
    "null": ("null", None),
    "word": ('"soon"', None),
    "ISO 8601": ('"2026-03-01T12:00:00.000Z"', None),
    "negative": ("-1", None),
    "beyond the year 9999": ("253402300800000", None),
    "the end of the year 9999": ("253402300799999", 253402300799999),
    "seconds": ("1790000000", None),
    "seconds in a string": ('"1790000000"', None),
    "zero": ("0", None),
    "just too small for milliseconds": ("999999999999", None),
    "smallest in milliseconds": ("1000000000000", 1000000000000),
    "a year ahead": ('"1821536000000"', 1821536000000),
    "microseconds": ("1790000000002000", None),
    "thousands of digits": ('"%s"' % ("1" * 5000), None),
    "array": ("[1790000000002]", None),
    "fraction": ("1.5", None),
    "object": ('{"a":[1]}', None),
    "digits of another script": ('"١٢"', None),
}


@pytest.mark.parametrize(("sent", "time_ms"), TIMES.values(), ids=TIMES.keys())
def test_vendor_time_may_be_unusable(sent: str | None, time_ms: int | None):
    t = "" if sent is None else f'"t":{sent},'
    driver = Driver(KambiProcessor())
    driver.feed(frame(f'{{{t}"mt":18,"er":{{"eventId":1}}}}'), at_ns=1_790_000_100_123_456_789)
    output, *_ = driver.outputs
    assert [json.loads(output.value).get("vendor_time_ms") for output in driver.outputs] == [time_ms] * 3
    if time_ms in (None, 1790000000002):
        time = "2026-09-21T14:15:00.123Z" if time_ms is None else "2026-09-21T14:13:20.002Z"
        assert output.header("ce_time") == time
    assert driver.counts[Count.NO_VENDOR_TIME] == (time_ms is None)


def test_ten_thousand_children():
    children = [status(2500000000 + number) for number in range(10_000)]
    children[5_000] = "junk"
    driver = run(frame(*children))
    assert driver.dead_letters == [DeadLetter(b"junk", Code.CHILD_NOT_JSON, 5_000, SOURCE)]
    assert [json.loads(output.value)["offer_id"] - 2500000000 for output in driver.outputs] == [
        number for number in range(10_000) if number != 5_000
    ]


def test_ten_thousand_facts_of_one_offer_at_one_time():
    children = [odds(f'{{"id":1,"betOfferId":2,"odds":{1500 + number}}}') for number in range(10_000)]
    assert len(run(frame(*children)).outputs) == 10_000


def test_bulk_of_five_megabytes():
    filler = "x" * 4_000
    children = [status(number).replace('"mt"', f'"filler":"{filler}","mt"') for number in range(1_250)]
    value = frame(*children)
    assert len(value) > 5_000_000
    assert len(run(value).outputs) == 1_250
    broken = run(frame(*children, '"never closed'))
    assert len(broken.outputs) == 1_250
    assert [dead.index for dead in broken.dead_letters] == [1_250]
