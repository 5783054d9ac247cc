"""Who may look: everybody on this machine, or who has the token."""

import secrets
from collections import OrderedDict
from typing import Final

from tricast.reach import bearer, check, is_loopback, is_token

SESSION_COOKIE: Final = "tricast-session"
SESSION_S: Final = 12 * 3_600
"""How long a sign-in lasts: a shift."""
_MOST_SESSIONS: Final = 1_000


def host_of(authority: str) -> str:
    """Return the host of a ``Host`` header."""
    if authority.startswith("["):
        return authority.partition("]")[0].removeprefix("[")
    return authority.partition(":")[0]


class Access:
    """Knows the token and who has signed in with it.

    Args:
        host: Where the page is bound.
        token: What has to be shown; ``None`` asks for nothing, which is only allowed on loopback.

    Raises:
        ConfigurationError: Bound elsewhere without a token, or the token is too short.
    """

    def __init__(self, host: str, token: str | None) -> None:
        check("the status page", host, token)
        self._token = token
        self._sessions: OrderedDict[str, float] = OrderedDict()

    @property
    def asks(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    def is_meant(self, authority: str) -> bool:
        """Return whether a request's ``Host`` is one that this page answers to.

        Without a token only names of this machine are: a foreign page whose name is made to point at 127.0.0.1 would
        otherwise read this one with its visitor's browser (DNS rebinding).
        """
        return self.asks or is_loopback(host_of(authority))

    def knows(self, token: str) -> bool:
        """Return whether that is the token; takes as long for any wrong one."""
        return self._token is not None and is_token(token, self._token)

    def sign_in(self, now_s: float) -> str:
        """Return a new session's cookie value."""
        session = secrets.token_urlsafe(32)
        self._sessions[session] = now_s + SESSION_S
        while len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def sign_out(self, session: str) -> None:
        """Forget a session."""
        self._sessions.pop(session, None)

    def allows(self, *, authorization: str, session: str, now_s: float) -> bool:
        """Return whether a request may pass.

        Args:
            authorization: Its ``Authorization`` header.
            session: Its session cookie.
            now_s: Any clock that only goes forward, the same as given to ``sign_in``.
        """
        if not self.asks:
            return True
        if self.knows(bearer(authorization)):
            return True
        return self._sessions.get(session, 0.0) > now_s
