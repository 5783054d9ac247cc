"""Access tokens and refresh tokens: who gets them, how long they hold. Pure but for the names it draws."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import orjson

from simulators.rms.config import RmsCredentialSettings

_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What an exchange or a refresh gives."""

    access: str
    refresh: str
    expires_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What an access token that holds says."""

    credential: RmsCredentialSettings
    expires_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refresh:
    credential: RmsCredentialSettings
    expires_ns: int


class Tokens:
    """All tokens. Refresh tokens are one-time and forgotten at a restart; access tokens hold beyond it.

    Args:
        credentials: Who may have any.
        seed: Makes the signing key: a simulator that is started again takes the tokens it gave.
        access_s: Life of an access token, seconds.
        refresh_s: Life of a refresh token, seconds.
        refresh_max: Refresh tokens of one credential that live at once.
    """

    def __init__(
        self,
        credentials: Sequence[RmsCredentialSettings],
        *,
        seed: int,
        access_s: int,
        refresh_s: float,
        refresh_max: int,
    ) -> None:
        self._credentials = {credential.client_id: credential for credential in credentials}
        self._key = hashlib.sha256(b"rms simulator %d" % seed).digest()
        self._access_s = access_s
        self._refresh_ns = int(refresh_s * _S)
        self._refresh_max = refresh_max
        self._refresh: dict[str, _Refresh] = {}

    def exchange(self, client_id: str, secret: str, now_ns: int) -> Pair | None:
        """Return a new pair, or ``None`` for a wrong id or secret."""
        credential = self._credentials.get(client_id)
        if credential is None:
            return None
        right = hmac.compare_digest(secret.encode(), credential.secret.get_secret_value().encode())
        return self._pair(credential, now_ns) if right else None

    def refresh(self, token: str, now_ns: int) -> Pair | None:
        """Return a new pair for a refresh token that was neither used nor dropped nor is too old; use it up."""
        held = self._refresh.pop(token, None)
        return self._pair(held.credential, now_ns) if held is not None and now_ns < held.expires_ns else None

    def check(self, authorization: str | None, now_ns: int) -> Access | None:
        """Return what the header ``Authorization`` is worth; nothing if there is none, or it does not hold."""
        scheme, _, token = (authorization or "").partition(" ")
        signed, _, signature = token.rpartition(".")
        expected = self._signature(signed)
        if scheme.lower() != "bearer" or not hmac.compare_digest(signature.encode(errors="replace"), expected.encode()):
            return None
        claims = orjson.loads(_unpacked(signed.partition(".")[2]))
        credential = self._credentials.get(claims["sub"])
        expires_ns = int(claims["exp"] * 1_000) * 1_000_000
        if credential is None or now_ns >= expires_ns:
            return None
        return Access(credential=credential, expires_ns=expires_ns)

    def _pair(self, credential: RmsCredentialSettings, now_ns: int) -> Pair:
        issued_ms = now_ns // 1_000_000
        expires_ms = issued_ms + self._access_s * 1_000
        claims: dict[str, Any] = {
            "sub": credential.client_id,
            "tenantId": f"tenant-{credential.customer_id}",
            "type": "tenantApiToken",
            "roles": ["DEFEND Admin"],
            "iss": "rms-simulator",
            "jti": str(uuid4()),
            "iat": issued_ms / 1_000,  # a NumericDate may have a fraction (RFC 7519, section 2)
            "exp": expires_ms / 1_000,
        }
        signed = f"{_HEADER}.{_packed(orjson.dumps(claims))}"
        refresh = str(uuid4())
        self._refresh[refresh] = _Refresh(credential=credential, expires_ns=now_ns + self._refresh_ns)
        own = [token for token, held in self._refresh.items() if held.credential is credential]
        for token in own[: -self._refresh_max]:
            del self._refresh[token]
        return Pair(access=f"{signed}.{self._signature(signed)}", refresh=refresh, expires_ns=expires_ms * 1_000_000)

    def _signature(self, signed: str) -> str:
        return _packed(hmac.digest(self._key, signed.encode(errors="replace"), "sha256"))


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


_HEADER: Final = _packed(b'{"alg":"HS256","typ":"JWT"}')
