"""Frames as the vendor's socket gives them."""

import json


def frame(*children: str) -> bytes:
    """Return a ``message`` packet whose bulk holds ``children``, JSON texts, as they are."""
    return packet(f"[{','.join(children)}]")


def packet(argument: str) -> bytes:
    return b"2" + json.dumps(["message", argument], separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogateescape"
    )


def status(offer: int = 2500000001, *, t: int = 1790000000002, event: int = 1020000001) -> str:
    return f'{{"t":"{t}","mt":8,"bosu":{{"eventId":{event},"betOfferId":{offer},"suspended":true,"visible":true}}}}'


def odds(*outcomes: str, t: int = 1790000000001, event: int = 1020000001) -> str:
    return f'{{"t":"{t}","mt":11,"boou":{{"eventId":{event},"outcomes":[{",".join(outcomes)}]}}}}'
