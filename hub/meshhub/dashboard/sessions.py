"""Who may use the dashboard: one-time sign-in links and browser sessions, both kept as hashes only.

Rules: a link holds 128 random bits, is spent by signing in (never by being read) and dies after 24 hours. A
session has two halves of 256 random bits, a cookie and a page key, and both are needed: browsers send cookies
to every port of a host, but show the page key to pages of this port only. It lasts 30 days and no longer than
the hub runs: what another program got that took the port meanwhile opens nothing afterwards.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from mathmesh.types import Entropy

LINK_OCTETS = 16
LINK_LIFETIME = timedelta(hours=24)
SESSION_OCTETS = 32
SESSION_LIFETIME = timedelta(days=30)
SESSIONS_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a browser gets when it signs in: the value of its cookie, and the page key."""

    cookie: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    key_digest: str
    expires: datetime


class SignIns:
    """Issues links, turns each into one session, and answers whether cookie and key are a live session."""

    def __init__(self, entropy: Entropy) -> None:
        self._entropy = entropy
        self._links: dict[str, datetime] = {}
        self._sessions: dict[str, _Session] = {}

    def new_link_token(self, now: datetime) -> str:
        """A fresh one-time token (26 lower-case Base32 characters); earlier unused ones stay valid."""
        self._links = {digest: expires for digest, expires in self._links.items() if expires > now}
        token = _text(self._entropy(LINK_OCTETS))
        self._links[_digest(token)] = now + LINK_LIFETIME
        return token

    def redeem(self, token: str, now: datetime) -> Grant | None:
        """Spend a link token: the new session's halves, or None for an unknown, spent or old one."""
        expires = self._links.pop(_digest(token), None)
        if expires is None or expires <= now:
            return None
        grant = Grant(cookie=_text(self._entropy(SESSION_OCTETS)), key=_text(self._entropy(SESSION_OCTETS)))
        self._sessions[_digest(grant.cookie)] = _Session(
            key_digest=_digest(grant.key), expires=now + SESSION_LIFETIME
        )
        self._trim(now)
        return grant

    def is_live(self, cookie: str, key: str, now: datetime) -> bool:
        """Whether `cookie` and `key` belong to one session that has not ended."""
        session = self._sessions.get(_digest(cookie))
        return session is not None and session.key_digest == _digest(key) and session.expires > now

    def end(self, cookie: str) -> None:
        """Sign this browser out."""
        self._sessions.pop(_digest(cookie), None)

    def _trim(self, now: datetime) -> None:
        live = sorted(
            (session.expires, digest) for digest, session in self._sessions.items() if session.expires > now
        )
        self._sessions = {digest: self._sessions[digest] for _, digest in live[-SESSIONS_KEPT:]}


def _text(octets: bytes) -> str:
    return base64.b32encode(octets).decode().rstrip("=").lower()


def _digest(secret: str) -> str:
    # The secrets are random and looked up by digest, so timing tells nothing about them.
    return hashlib.sha256(secret.encode()).hexdigest()
