"""Resolving locators and strong internet names over HTTPS (draft-hallambaker-mesh-udf §5.4, §6).

The domain that answers is not believed. What it returns is used only when it opens under the locator's key
and is authenticated by it, or has the digest that the name commits to. It learns the identifier, which
follows from the key and does not give it away. Plain HTTP is for this machine itself only.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

import aiohttp

from mathmesh.codec import udf, uri
from mathmesh.dare.envelope import Envelope, open_envelope
from mathmesh.dare.locator import Located, open_located
from mathmesh.errors import EncodingError, MeshError, PolicyError, StoreError, VerificationError
from mathmesh.keys import earl, sin
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.profile import ProfileUser
from mathmesh.schema.validation import verify_profile_user

MAXIMUM_OCTETS = 16 * 1024 * 1024
MAXIMUM_REDIRECTS = 3
TIMEOUT = 15.0
"""Seconds for a whole resolution, redirects included."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongName:
    """What a strong internet name led to: the policy document or the profile that it commits to."""

    address: str
    policy: bytes | None = None
    content_type: str | None = None
    profile: ProfileUser | None = None


class Resolver:
    """Finds content by its locator.

    `endpoints` maps a domain to the address below which its content lies, for domains that are served
    elsewhere; the default is `https://DOMAIN/.well-known/mmm-udf/`.
    """

    def __init__(
        self,
        endpoints: Mapping[str, str] | None = None,
        *,
        maximum_octets: int = MAXIMUM_OCTETS,
        timeout: float = TIMEOUT,
    ) -> None:
        self._endpoints = {domain.lower(): endpoint for domain, endpoint in (endpoints or {}).items()}
        self._maximum = maximum_octets
        self._timeout = timeout
        for endpoint in self._endpoints.values():
            _checked(endpoint)

    async def resolve(
        self, locator: str, *, signers: Iterable[PublicKey] = (), require_authentication: bool = True
    ) -> Located:
        """The content behind `udf://domain/KEY`, `udf://domain/DIGEST` or the `mcu://` of a contact.

        `signers` and `require_authentication` as in `dare.locator.open_located`.
        Raises EncodingError for what is no such locator, StoreError when nothing is found or the domain does
        not answer, PolicyError for an answer that is too large or leads elsewhere without protection,
        VerificationError for content that is not the one the locator stands for.
        """
        authority, name = parse_locator(locator)
        envelope = await self._fetch(authority, name)
        if udf.parse(name)[0] in (udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE):
            return open_located(
                envelope, name, signers=signers, require_authentication=require_authentication
            )
        opened = open_envelope(envelope)
        sin.check_document(name, opened.plaintext, opened.content_meta.cty or "")
        return Located(content=opened.plaintext, content_meta=opened.content_meta, authenticated=True)

    async def resolve_name(self, address: str) -> StrongName:
        """The policy or profile to which a strong internet name commits, compared with the name.

        Raises as `resolve` does, EncodingError also for an address without `mm--` label.
        """
        _, domain, name, _ = uri.parse_sin_address(address)
        envelope = await self._fetch(domain, name)
        opened = open_envelope(envelope)
        content_type = opened.content_meta.cty or ""
        try:
            profile = verify_profile_user(envelope)
        except MeshError:
            sin.check_policy(address, opened.plaintext, content_type)
            return StrongName(address=address, policy=opened.plaintext, content_type=content_type)
        if profile.profile_signature is None:
            raise VerificationError(f"the profile offered for {address} has no key")
        sin.check_profile(address, profile.profile_signature.public_key())
        return StrongName(address=address, profile=profile)

    async def _fetch(self, authority: str, name: str) -> Envelope:
        endpoint = self._endpoints.get(authority)
        address = earl.location(authority, name)
        if endpoint is not None:
            address = endpoint.rstrip("/") + "/" + earl.content_id(name)
        try:
            async with asyncio.timeout(self._timeout), _session() as session:
                octets = await self._get(session, address)
        except TimeoutError:
            raise StoreError(f"{authority} did not answer within {self._timeout:g} seconds") from None
        except (aiohttp.ClientError, ValueError) as error:
            raise StoreError(f"{authority} cannot be reached: {error}") from error
        try:
            return Envelope.from_bytes(octets)
        except EncodingError:
            raise VerificationError(f"{authority} returned something else than an envelope") from None

    async def _get(self, session: aiohttp.ClientSession, address: str) -> bytes:
        for _ in range(MAXIMUM_REDIRECTS + 1):
            host = _checked(address).hostname
            async with session.get(address, allow_redirects=False) as response:
                if response.status in _REDIRECTS:
                    address = _redirected(address, response.headers.get("Location", ""))
                    continue
                if response.status != 200:
                    raise StoreError(f"{host} has nothing under this locator (HTTP {response.status})")
                return await self._body(response)
        raise PolicyError(f"a domain redirects more than {MAXIMUM_REDIRECTS} times")

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        octets = bytearray()
        async for piece in response.content.iter_any():
            octets += piece
            if len(octets) > self._maximum:
                raise PolicyError(f"content is larger than {self._maximum} octets")
        return bytes(octets)


def parse_locator(locator: str) -> tuple[str, str]:
    """Domain and canonical key or digest of a locator that `Resolver.resolve` takes.

    Raises EncodingError for others, names without domain and the codes of devices and PINs among them.
    """
    if locator.strip()[: len(uri.MCU)].lower() == uri.MCU:
        account, key = uri.parse_mcu(locator)
        if udf.parse(key)[0] != udf.ENCRYPTION_SIGNATURE:
            raise EncodingError(
                "this code connects a device or answers a PIN; it leads to no published contact"
            )
        return account.partition("@")[2], key
    authority, name, _, _ = uri.parse_udf_uri(locator.strip())
    if not authority:
        raise EncodingError("this is a name without a domain; ask for its locator udf://domain/…")
    code = udf.parse(name)[0]
    digests = (udf.DIGEST, udf.DIGEST_SHA3)
    keys = (udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE)
    if code not in keys and not any(base <= code <= base + udf.MAXIMUM_COMPRESSION for base in digests):
        raise EncodingError("a locator holds a key that begins with E or a digest that begins with M or K")
    return authority, name


def _session() -> aiohttp.ClientSession:
    headers = {"Accept": "application/dare", "Accept-Encoding": "identity", "User-Agent": "mesh-hub"}
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=headers, auto_decompress=False)


def _redirected(address: str, target: str) -> str:
    new = urljoin(address, target)
    if not target or _checked(new).scheme != urlsplit(address).scheme:
        raise PolicyError(f"{urlsplit(address).hostname} redirects to where nothing is asked")
    return new


def _checked(address: str) -> SplitResult:
    """The parts of an address that may be asked: over https, or http on this machine, without a password."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.username is not None or parts.password is not None:
        raise PolicyError(f"the address of {host} holds a password")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))):
        raise PolicyError(f"{host or 'an address without host'} is asked over https only")
    return parts


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
