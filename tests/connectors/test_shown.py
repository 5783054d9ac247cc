"""What of a server's words is shown and kept: nothing that is to stay ours, whole or in part."""

import json

import pytest

from connectors.shown import masked, without_secrets

JWT = "eyJhbGciOiJSUzI1NiJ9." + "PLANTED" * 100


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"bad {JWT}!", "bad ***!"),
        (f"bad {JWT[:30]}", "bad ***"),
        (f"{JWT[:90]}… and {JWT[:12]} {JWT}", "***… and *** ***"),
        (f"a short beginning {JWT[:11]} says nothing", f"a short beginning {JWT[:11]} says nothing"),
        (json.dumps({"said": 'pass"word\\'}), '{"said": "***"}'),
        ("x" * 4090 + JWT, "x" * 200),
    ],
    ids=["whole", "cut", "several", "short", "escaped", "far"],
)
def test_neither_a_secret_nor_what_a_server_left_of_it_is_shown(text, shown):
    assert without_secrets(text, ['pass"word\\', JWT]) == shown


@pytest.mark.parametrize("secret", ["*" * 20, "aaaaaaaaaaaab" * 2], ids=["stars", "repeating"])
def test_any_secret_comes_to_an_end(secret):
    assert "aaaaaaaaaaaa" not in without_secrets(f"{secret} {secret[:15]}", [secret])


def test_a_record_keeps_every_byte_but_those_of_a_long_secret():
    payload = b'\xff2["X",{"t":"' + JWT.encode() + b'","word":"join"}]'
    kept = masked(payload, ["join", JWT])
    assert kept == b'\xff2["X",{"t":"' + b"*" * len(JWT) + b'","word":"join"}]'
