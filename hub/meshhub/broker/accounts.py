"""Accounts of the broker: who may log in, and which topics each may use.

Passwords are random and in clear at the device only; the broker gets hashes in the form that mosquitto reads
(`$7$iterations$salt$hash`, PBKDF2-SHA-512), computed here, so that no password is ever on a command line.
Topics of a device: protocol book, "Running".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from mathmesh.codec import base32
from mathmesh.types import Entropy
from meshhub.mqtt import topics

ITERATIONS = 101  # mosquitto's own default; passwords are 160 random bits, so stretching adds nothing
MAX_ITERATIONS = 100_000
SALT_OCTETS = 12
HASH_OCTETS = 64
PASSWORD_OCTETS = 20
USER_OCTETS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAccount:
    """One account. `topic_id` is the device's topic identifier, None for the hub itself."""

    user: str
    password_hash: str
    topic_id: str | None

    def may_write(self, topic: str) -> bool:
        """True when this account may publish to the topic."""
        if self.topic_id is None:
            return topics.parse(topic) is not None
        return topic in (topics.up(self.topic_id), topics.presence(self.topic_id))

    def may_read(self, topic: str) -> bool:
        """True when a message of this topic may be given to this account."""
        if self.topic_id is None:
            return topics.parse(topic) is not None
        return topic == topics.down(self.topic_id)

    def may_subscribe(self, topic_filter: str) -> bool:
        """True when this account may subscribe to the filter; a device to its one topic only."""
        if self.topic_id is None:
            return topic_filter.startswith(topics.ROOT + "/")
        return topic_filter == topics.down(self.topic_id)


def new_user(entropy: Entropy) -> str:
    """A random user name; it says nothing about the device."""
    return base32.encode(entropy(USER_OCTETS)).lower()


def new_password(entropy: Entropy) -> str:
    """A random password of 160 bits."""
    return base32.encode(entropy(PASSWORD_OCTETS)).lower()


def hash_password(password: str, entropy: Entropy) -> str:
    """The hash that mosquitto's password file holds for this password."""
    salt = entropy(SALT_OCTETS)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_OCTETS)
    return f"$7${ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def verify_password(password: str, password_hash: str) -> bool:
    """True when the hash is of this password; False too for a hash of any other form."""
    parts = password_hash.split("$")
    if len(parts) != 5 or parts[0] or parts[1] != "7" or not parts[2].isdecimal():
        return False
    iterations = int(parts[2])
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[3:])
    except binascii.Error:
        return False
    if not 1 <= iterations <= MAX_ITERATIONS or len(digest) != HASH_OCTETS:
        return False
    return hmac.compare_digest(
        hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, HASH_OCTETS), digest
    )
