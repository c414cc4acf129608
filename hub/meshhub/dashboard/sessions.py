"""Who may use the dashboard: one-time sign-in links and browser sessions, both kept as hashes only.

Rules: a link holds 128 random bits, is spent by signing in (never by being read) and dies after 24 hours;
a session holds 256 random bits and lasts 30 days. Where a `SessionStore` is given, sessions outlive the hub
process: it receives hashes, so what it keeps opens nothing.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from mathmesh.types import Entropy

LINK_OCTETS = 16
LINK_LIFETIME = timedelta(hours=24)
SESSION_OCTETS = 32
SESSION_LIFETIME = timedelta(days=30)
SESSIONS_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One signed-in browser: `digest` is SHA-256 of its cookie in hexadecimal."""

    digest: str
    expires: datetime


class SessionStore(Protocol):
    """Keeps sessions between two runs of the hub."""

    def load(self) -> Iterable[Session]: ...

    def save(self, sessions: Iterable[Session]) -> None: ...


class SignIns:
    """Issues links, turns each into one session, and answers whether a cookie is a live session."""

    def __init__(self, entropy: Entropy, now: datetime, store: SessionStore | None = None) -> None:
        self._entropy = entropy
        self._store = store
        self._links: dict[str, datetime] = {}
        found = store.load() if store is not None else ()
        self._sessions = {one.digest: one.expires for one in found if one.expires > now}

    def new_link_token(self, now: datetime) -> str:
        """A fresh one-time token (26 lower-case Base32 characters); earlier unused ones stay valid."""
        self._links = {digest: expires for digest, expires in self._links.items() if expires > now}
        token = _text(self._entropy(LINK_OCTETS))
        self._links[_digest(token)] = now + LINK_LIFETIME
        return token

    def redeem(self, token: str, now: datetime) -> str | None:
        """Spend a link token: the new session's cookie value, or None for an unknown, spent or old one."""
        expires = self._links.pop(_digest(token), None)
        if expires is None or expires <= now:
            return None
        cookie = _text(self._entropy(SESSION_OCTETS))
        self._sessions[_digest(cookie)] = now + SESSION_LIFETIME
        self._trim(now)
        self._save()
        return cookie

    def is_live(self, cookie: str, now: datetime) -> bool:
        """Whether `cookie` belongs to a session that has not ended."""
        expires = self._sessions.get(_digest(cookie))
        return expires is not None and expires > now

    def end(self, cookie: str) -> None:
        """Sign this browser out."""
        if self._sessions.pop(_digest(cookie), None) is not None:
            self._save()

    def _trim(self, now: datetime) -> None:
        live = sorted((expires, digest) for digest, expires in self._sessions.items() if expires > now)
        self._sessions = {digest: expires for expires, digest in live[-SESSIONS_KEPT:]}

    def _save(self) -> None:
        if self._store is not None:
            self._store.save(
                [Session(digest=digest, expires=expires) for digest, expires in self._sessions.items()]
            )


def _text(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


def _digest(secret: str) -> str:
    # The secrets are random and looked up by digest, so timing tells nothing about them.
    return hashlib.sha256(secret.encode()).hexdigest()
