"""What libraries repeat is told once in a while, with its number; what the engine says always is."""

import logging

from processors.engine.repeats import QUIET_S, Repeats


def record(
    at_s: float, *args: object, name: str = "aiokafka.client", text: str = "node %s is away"
) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)
    made.created = at_s
    return made


def passing(*records: logging.LogRecord) -> list[str]:
    repeats = Repeats(("aiokafka", "faust"))
    return [one.getMessage() for one in records if repeats.filter(one)]


def test_a_flood_is_one_line_and_a_number():
    flood = [record(100 + second / 10, second % 3) for second in range(50)]
    assert passing(*flood, record(100 + QUIET_S, "100%")) == [
        "node 0 is away",
        "node 100% is away (49 more like it since it was last told)",
    ]


def test_other_texts_and_other_loggers_pass():
    texts = [record(1, text="a"), record(1, text="b"), record(1, text="a", name="faust.app")]
    engine = [record(1, text="a", name="processors.engine"), record(1, text="a", name="processors.engine")]
    assert passing(*texts, *engine) == ["a", "b", "a", "a", "a"]


def test_a_clock_that_is_put_back_silences_nobody():
    assert len(passing(record(100, 1), record(50, 1), record(51, 1))) == 2


def test_what_is_remembered_is_bounded():
    repeats = Repeats(("aiokafka",))
    for number in range(5_000):
        assert repeats.filter(record(1, text=f"text {number}"))
    assert len(repeats._said) <= 1_000
