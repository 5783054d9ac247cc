import pytest

from schemas.errors import ConfigurationError
from tricast.reach import SHORTEST_TOKEN
from tricast.web.access import SESSION_S, Access

TOKEN = "a-token-that-is-long-enough"


def allows(access, *, authorization="", session="", now_s=0.0):
    return access.allows(authorization=authorization, session=session, now_s=now_s)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "status.example", "127.0.0.1.example", ""])
def test_off_loopback_it_is_refused_without_a_token(host):
    with pytest.raises(ConfigurationError, match="open to everybody"):
        Access(host, None)
    assert Access(host, TOKEN).asks


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_on_loopback_everybody_may_look(host):
    access = Access(host, None)
    assert allows(access)
    assert not access.knows("")


@pytest.mark.parametrize("token", ["", "x" * (SHORTEST_TOKEN - 1)])
def test_a_short_token_is_refused(token):
    with pytest.raises(ConfigurationError, match="characters"):
        Access("127.0.0.1", token)


def test_the_token_opens_as_a_header():
    access = Access("0.0.0.0", TOKEN)
    assert allows(access, authorization=f"Bearer {TOKEN}")
    for wrong in ("", TOKEN, f"Basic {TOKEN}", "Bearer ", f"Bearer {TOKEN}x", "Bearer ünknown"):
        assert not allows(access, authorization=wrong)


def test_a_session_lasts_a_shift():
    access = Access("0.0.0.0", TOKEN)
    session = access.sign_in(100.0)
    assert session != TOKEN
    assert allows(access, session=session, now_s=99.0 + SESSION_S)
    assert not allows(access, session=session, now_s=100.0 + SESSION_S)
    assert not allows(access, session="")


def test_who_signed_out_is_out():
    access = Access("0.0.0.0", TOKEN)
    session = access.sign_in(0.0)
    access.sign_out(session)
    assert not allows(access, session=session)


@pytest.mark.parametrize(
    ("authority", "meant"),
    [
        ("127.0.0.1:8642", True),
        ("localhost", True),
        ("[::1]:8642", True),
        ("rebound.example:8642", False),
        ("127.0.0.1.example", False),
        ("", False),
    ],
)
def test_without_a_token_only_names_of_this_machine_are_answered(authority, meant):
    assert Access("127.0.0.1", None).is_meant(authority) is meant
    assert Access("127.0.0.1", TOKEN).is_meant(authority)
