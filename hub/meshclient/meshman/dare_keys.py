"""Keys for the commands on files and sequences.

Where a key comes from:
 1. `/key=FILE` names a file with a secret key (E…), `/key=-` reads it from standard input. On the command
    line itself, where every user of the machine can see it, a key is taken with `/exposed` only.
 2. `/encrypt`, `/sign` and `/signer` name a file with a key object (JSON, as `dare keypair` writes it), or an
    account, contact or group of this machine by address or UDF.
 3. The accounts of this machine are opened when such a name is given, or when nothing else opens a file.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

from mathmesh.codec import udf
from mathmesh.dare.exchange import HybridKeyring, Recipient
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError
from mathmesh.keys import symmetric
from mathmesh.keys.agreement_key import agreement_key
from mathmesh.keys.hybrid import PRIVATE_TAG as HYBRID_PRIVATE
from mathmesh.keys.hybrid import PUBLIC_TAG as HYBRID_PUBLIC
from mathmesh.keys.hybrid import HybridPrivateKey, HybridPublicKey
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PRIVATE_TAG, PUBLIC_TAG, PrivateKey, PublicKey
from meshclient.private_file import read_private

STANDARD_INPUT = "-"
MAXIMUM_KEY_FILE = 1 << 16

Command = TypeVar("Command", bound=Callable[..., Any])


class KeySource(Protocol):
    """Keys of an account on this machine, its contacts and groups; `meshclient.key_source` has it."""

    @property
    def address(self) -> str:
        """The address of the account."""

    def recipient(self, name: str) -> PublicKey:
        """The encryption key of the account, a contact or a group, by address or UDF."""

    def signer(self, name: str | None = None) -> PrivateKey:
        """The signature key of the account."""

    def signers(self) -> Mapping[str, PublicKey]:
        """The signature keys of the account and its contacts."""

    def keyring(self, header: Mapping[str, Any]) -> Keyring:
        """A keyring that opens the envelope with this header."""


OpenSource = Callable[[], AbstractContextManager[KeySource]]


@dataclass(slots=True, kw_only=True)
class Keys:
    """What the flags of a command amount to."""

    secrets: list[bytes] = field(default_factory=list, repr=False)
    privates: list[PrivateKey] = field(default_factory=list, repr=False)
    hybrids: list[HybridPrivateKey] = field(default_factory=list, repr=False)
    recipients: list[Recipient] = field(default_factory=list)
    signers: list[PrivateKey] = field(default_factory=list, repr=False)
    trusted: list[PublicKey] = field(default_factory=list)
    source: Callable[[], KeySource | None] = field(default=lambda: None, repr=False)

    @property
    def curve_recipients(self) -> list[PublicKey]:
        """Recipients of a sequence, whose policy knows keys of curves only; the key of each secret included.

        Raises PolicyError for a key of another kind.
        """
        keys = [agreement_key(secret).public for secret in self.secrets]
        for key in self.recipients:
            if not isinstance(key, PublicKey):
                raise PolicyError("a sequence cannot be encrypted to a key of ML-KEM; use one of a curve")
            keys.append(key)
        return keys

    @property
    def held(self) -> HybridKeyring:
        """A keyring of what was given in files."""
        pairs = [agreement_key(secret) for secret in self.secrets]
        keyring = HybridKeyring(self.hybrids, [*self.privates, *pairs])
        for secret in self.secrets:
            keyring.add_symmetric(secret)
        return keyring

    def keyring(self, header: Mapping[str, Any]) -> Keyring:
        """A keyring for the envelope with this header: the keys given, else those of an account here."""
        held = self.held
        entries = [entry for entry in header.get("recipients") or () if isinstance(entry, dict)]
        kids = [str(entry.get("kid", "")) for entry in entries]
        if any(held.private(kid) or held.symmetric(kid) or held.hybrid(kid) for kid in kids):
            return held
        source = None if any(held.kids()) or self.hybrids else self.source()
        return held if source is None else source.keyring(header)

    def keyring_or_none(self, header: Mapping[str, Any]) -> Keyring | None:
        """As `keyring`, None when nothing here opens it: for what can be done without reading."""
        try:
            return self.keyring(header)
        except KeyUnavailableError:
            return None

    def believed(self) -> list[PublicKey]:
        """Keys whose signatures count: those given, else those of the account and its contacts."""
        if self.trusted:
            return self.trusted
        own = [key.public for key in self.signers]
        source = self.source()
        return [*own, *(source.signers().values() if source else ())]


def key_flags(
    *, encrypts: bool = False, signs: bool = False, verifies: bool = False
) -> Callable[[Command], Command]:
    """The flags for keys that a command has use for; the callback gets `keys`."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def wrapper(
            key: tuple[str, ...],
            exposed: bool,
            home: Path | None,
            account: str | None,
            encrypt: tuple[str, ...] = (),
            own: bool = False,
            sign: tuple[str, ...] = (),
            signer: tuple[str, ...] = (),
            **given: Any,
        ) -> Any:
            account_of = functools.partial(_account_source, home, account)
            with ExitStack() as stack:
                held = _Account(stack, account_of, named=account is not None)
                keys = _keys(held, key=key, encrypt=encrypt, sign=sign, signer=signer, exposed=exposed)
                if own:
                    keys.recipients.append(held.required().recipient(held.required().address))
                return function(keys=keys, **given)

        result: Any = wrapper
        for option in reversed(_options(encrypts=encrypts, signs=signs, verifies=verifies)):
            result = option(result)
        return result  # type: ignore[no-any-return]

    return decorate


def _options(*, encrypts: bool, signs: bool, verifies: bool) -> list[Any]:
    option = click.option
    found = [
        option("--key", multiple=True, metavar="FILE", help="File with a secret or private key; - reads it."),
        option("--exposed", is_flag=True, help="Take keys from the command line, where others can see them."),
        option("--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of the accounts."),
        option("--account", metavar="ADDRESS", help="The account whose keys are used."),
    ]
    if encrypts:
        found.append(option("--encrypt", multiple=True, metavar="NAME", help="Encrypt for this recipient."))
        found.append(option("--self", "own", is_flag=True, help="Encrypt for the own account too."))
    if signs:
        found.append(option("--sign", multiple=True, metavar="NAME", help="Sign with this key."))
    if verifies:
        found.append(option("--signer", multiple=True, metavar="NAME", help="Believe only this signer."))
    return found


class _Account:
    """An account of this machine, opened when it is needed first."""

    def __init__(self, stack: ExitStack, open_source: OpenSource, *, named: bool) -> None:
        self._stack, self._open, self._named = stack, open_source, named
        self._source: KeySource | None = None

    def required(self) -> KeySource:
        """The account's keys; raises when there is none."""
        if self._source is None:
            self._source = self._stack.enter_context(self._open())
        return self._source

    def optional(self) -> KeySource | None:
        """The account's keys, None when this machine has no account and none was named."""
        if self._named:
            return self.required()
        try:
            return self.required()
        except PolicyError:
            return None


def _keys(
    account: _Account,
    *,
    key: tuple[str, ...],
    encrypt: tuple[str, ...],
    sign: tuple[str, ...],
    signer: tuple[str, ...],
    exposed: bool,
) -> Keys:
    keys = Keys(source=account.optional)
    for word in key:
        _add_private(keys, _content(word, exposed=exposed, private=True))
    for name in encrypt:
        if _is_secret(name, exposed=exposed):
            keys.secrets.append(symmetric.secret(name))
        else:
            keys.recipients.append(_recipient(name, account))
    keys.signers += [_signer(name, account) for name in sign]
    keys.trusted += [_trusted(name, account) for name in signer]
    return keys


def _account_source(home: Path | None, account: str | None) -> AbstractContextManager[KeySource]:
    from meshclient.key_source import open_source

    return open_source(home, account)


def _is_secret(text: str, *, exposed: bool) -> bool:
    """Whether a word of the command line is a secret key; raises PolicyError unless that is allowed."""
    try:
        symmetric.secret(text)
    except MeshError:
        return False
    if not exposed:
        raise PolicyError(
            "a key on the command line can be seen by every user of this machine; "
            "write it to a file and name that, or use - and standard input (/exposed allows it)"
        )
    return True


def _content(word: str, *, exposed: bool, private: bool) -> str:
    if word == STANDARD_INPUT:
        return sys.stdin.read(MAXIMUM_KEY_FILE).strip()
    if _is_secret(word, exposed=exposed):
        return word
    path = Path(word)
    octets = read_private(path, "key file") if private else path.read_bytes()
    try:
        return octets[:MAXIMUM_KEY_FILE].decode().strip()
    except UnicodeError:
        raise EncodingError(f"{path} holds no key") from None


def _add_private(keys: Keys, text: str) -> None:
    value = _object(text)
    if value is None:
        keys.secrets.append(symmetric.secret(udf.canonical(text)))
    elif HYBRID_PRIVATE in value:
        keys.hybrids.append(HybridPrivateKey.from_json(value))
    else:
        keys.privates.append(PrivateKey.from_json(value))


def _recipient(name: str, account: _Account) -> Recipient:
    if not Path(name).is_file():
        return account.required().recipient(name)
    value = _object(_content(name, exposed=False, private=False))
    if value is None:
        raise EncodingError(f"{name} holds no public key")
    if HYBRID_PUBLIC in value:
        return HybridPublicKey.from_json(value)
    if HYBRID_PRIVATE in value:
        return HybridPrivateKey.from_json(value).public
    return PrivateKey.from_json(value).public if PRIVATE_TAG in value else PublicKey.from_json(value)


def _signer(name: str, account: _Account) -> PrivateKey:
    if not Path(name).is_file():
        return account.required().signer(name)
    value = _object(_content(name, exposed=False, private=True))
    if value is None or PRIVATE_TAG not in value:
        raise EncodingError(f"{name} holds no private key")
    return PrivateKey.from_json(value)


def _trusted(name: str, account: _Account) -> PublicKey:
    if Path(name).is_file():
        value = _object(_content(name, exposed=False, private=False))
        if value is not None:
            return PrivateKey.from_json(value).public if PRIVATE_TAG in value else PublicKey.from_json(value)
    known = account.required().signers()
    found = known.get(name.upper())
    if found is None:
        raise KeyUnavailableError(f"{name} is no signer that is known here; name a file with the public key")
    return found


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object of a key file, None when it holds something else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) and set(value) & _TAGS else None


_TAGS = {PUBLIC_TAG, PRIVATE_TAG, HYBRID_PUBLIC, HYBRID_PRIVATE}
