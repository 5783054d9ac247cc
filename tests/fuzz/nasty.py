# ruff: noqa: RUF001 - digits that are none
"""What goes into inputs: values that parsers have stumbled over elsewhere, as JSON text, bytes and header texts."""

from random import Random

NUMBERS = (
    "0", "-0", "1", "-1", "0.0", "1.0", "1.5", "41.0", "0.1", "1e0", "1E400", "-1e400", "1e-400", "1e19",
    "1e308", "5e-324", "2147483648", "4294967296", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "99999999999999999999", "1" + "0" * 40, "9" * 400, "9" * 4301, "0." + "3" * 400,
    "1" + "0" * 308 + ".5", "-1" + "0" * 20, "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "1.", "1_000",
    "0x10", "true", "false", "null", "1790000000000", "1790000000000000000", "253402300800", "253402300799999",
    "-62135596801000", "1e1000000", "1e-1000000", "0e999999999",
)  # fmt: skip
TEXTS = (
    "", " ", "0", "-1", "1.0", "null", "true", "9" * 19, "9" * 20, "9" * 4301, "1e5", "٣", "①", "²", "１２",
    "\u0000", "\ud800", "\udfff\ud800", "\ud83d\ude00", "\U0010ffff", "\ufeff", "\u2028", "a\r\nb", "../../etc",
    "a/b/c", "%00%ff", "{}", "[]", '{"a":', '"', "\\", "\\u0000", "x" * 300, "é" * 1200, "1970-01-01T00:00:00Z",
    "2026-11-20T18:08:32.104233Z", "9999-12-31T23:59:59.999Z", "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z", "2026-11-20T18:08:60Z",
    "2026-11-20T18:08:32.1234567890123Z", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +2359",
    "Fri, 31 Dec 9999 23:59:59 -2359", "Fri, 31 Dec 99999 23:59:59 GMT", "12:34", "99:99", "-1:00", "NaN",
    "inf", "1790000000000",
)  # fmt: skip
NAMES = (*["id", "t", "mt", "error", "status", "code", "message", "data", "seqNum", "fixtureId", "__class__", "�"], "")
BYTES = (
    b"", b"\x00", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80",
    b"[", b"{", b'"', b"]", b"}", b"\\", b"\\u", b"\\ud800", b",", b":", b"-", b"e", b"2", b"42", b"43", b"45-",
    b"451-", b"4/admin,", b"40{", b"41", b"44", b"1", b"\x1e", b"b", b"<html>", b"\r\n", b"NaN",
)  # fmt: skip
HEADERS = (
    None, b"", b"0", b"-1", b"1", b"9" * 19, b"9" * 20, b"9" * 5000, b"1.5", b" 1", b"+1", "٣".encode(),
    b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"frame", b"snapshot", b"tick", b"opened", b"closed", b"overflow",
    b"replay", b"x" * 1001, b"x" * 5000, b"kambi", b"200", b"404", b"1790000000000000000",
    b"9223372036854775807", b"9223372036854775808", b"event/live/open", b"bet/detail?code=%ff&slip=", b"?",
    b"&=&",
)  # fmt: skip
OPENERS = ("[", '{"a":', '[{"b":', '{"error":', '{"event":{"id":', '[["message",', '{"liveData":')
"""What deep nesting is made of."""
_CLOSERS = {"[": "]", "{": "}"}

DEPTHS = (2, 20, 100, 200, 300, 450, 480, 500, 900, 950, 990, 1000, 1100, 2000, 5000)
LENGTHS = (100, 1000, 5000, 20_000)
RARE_DEPTH, RARE_LENGTH, RARE = 100_000, 1_000_000, 1 / 400
"""Now and then something very deep or long: of a megabyte, a parser that is not linear shows."""


def deep(random: Random) -> str:
    """Return JSON text that is nested deeply; not always closed."""
    depth = RARE_DEPTH if random.random() < RARE else random.choice(DEPTHS)
    opener = random.choice(OPENERS)
    inner = random.choice(("", "1", '"x"', "null", "{}", "[]"))
    if random.random() < 0.1:
        return opener * depth + inner
    closer = "".join(_CLOSERS[letter] for letter in reversed(opener) if letter in _CLOSERS)
    return opener * depth + (inner or "0") + closer * depth


def long(random: Random) -> str:
    """Return a long text of few letters."""
    length = RARE_LENGTH if random.random() < RARE else random.choice(LENGTHS)
    unit = random.choice(("a", "0", "9", " ", "/", ",", "[", '"', "\\", "é", "-", "1,", "a=b&", "\ud800"))
    return unit * (length // len(unit))
