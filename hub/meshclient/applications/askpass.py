"""Answers to the questions of ssh and git, for SSH_ASKPASS and GIT_ASKPASS, from the credential catalog.

    Enter passphrase for key '/home/alice/.ssh/id_ed25519':     protocol ssh-key, the file or its name
    Enter passphrase:                                           the only one of protocol ssh-key
    alice@host's password:    (alice@host) Password:            protocol ssh, the host
    Username for 'https://host':                                git's protocol, the host
    Password for 'https://alice@host':

Nothing else is answered. Above all not whether a host or the use of a key is all right: that is the person's
to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from meshclient.applications.credential_choice import by_key, matching

MAXIMUM_PROMPT = 4096
PASSPHRASE, SSH = "ssh-key", "ssh"

_PASSPHRASE = re.compile(r"(?:Enter|Bad) passphrase(?:, try again)? for (?:key )?['\"]?(.+?)['\"]?:? *")
_UNNAMED = re.compile(r"Enter (?:old )?passphrase: *")
_PASSWORD = re.compile(r"([^@\s'()]+)@([^@\s'()]+)'s password: *")
_INTERACTIVE = re.compile(r"\(([^@\s'()]+)@([^@\s'()]+)\) [Pp]assword(?: for .*)?: *")
_GIT = re.compile(r"(Username|Password) for '([^']+)': *")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: the user's name or the secret, of which service; of no service is the only one."""

    protocol: str
    services: tuple[str, ...]
    username: str | None = None
    wants_username: bool = False


def parse(prompt: str) -> Question | None:
    """The question in a prompt; None for one that is not answered."""
    if len(prompt) > MAXIMUM_PROMPT:
        return None
    if found := _PASSPHRASE.fullmatch(prompt):
        return Question(protocol=PASSPHRASE, services=(found[1], PurePosixPath(found[1]).name))
    if _UNNAMED.fullmatch(prompt):
        return Question(protocol=PASSPHRASE, services=())
    if found := _PASSWORD.fullmatch(prompt) or _INTERACTIVE.fullmatch(prompt):
        return Question(protocol=SSH, services=(found[2],), username=found[1])
    if found := _GIT.fullmatch(prompt):
        return _git(found[1] == "Username", found[2])
    return None


def answer(question: Question, entries: Iterable[Any]) -> str | None:
    """The name or secret, one line; None when the catalog has none."""
    held = list(entries)
    if not question.services:
        secrets = [one.password for one in by_key(held).values() if one.protocol == question.protocol]
        return secrets[0] if len(secrets) == 1 else None
    for service in question.services:
        for entry in matching(held, service, protocol=question.protocol, username=question.username):
            found = entry.username if question.wants_username else entry.password
            if found and not set(found) & set("\n\r\0"):
                return found
    return None


def _git(wants_username: bool, address: str) -> Question | None:
    try:
        parts = urlsplit(address)
        host, username = parts.netloc.rpartition("@")[2], parts.username
    except ValueError:
        return None
    if not parts.scheme or not host:
        return None
    path = unquote(parts.path.strip("/"))
    services = (f"{host}/{path}", host) if path else (host,)
    return Question(
        protocol=parts.scheme,
        services=services,
        username=unquote(username) if username else None,
        wants_username=wants_username,
    )
