"""Sealing and opening envelopes (draft-hallambaker-mesh-dare §4.2, §4.3).

Opening checks in this order, and nothing of the payload is returned before all have passed:
 1. algorithms are ones we run, lists within limits;
 2. PayloadDigest is that of the body;
 3. signatures whose key is known hold over the digest; one at least when a signature is required;
 4. an encrypted body has a digest or verified signature (CBC alone can be altered);
 5. a recipient entry opens under a key at hand, the body decrypts;
 6. witnesses of the signatures are those of this payload.
Header members, ContentMeta, annotations and cloaked ones included, are covered by none of these: compare them
with the payload. Bodies of any size are for `stream`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.exchange import Recipient
from mathmesh.dare.opening import Opening
from mathmesh.dare.sealing import Sealing
from mathmesh.dare.signature import Signers
from mathmesh.dare.structure import Envelope, content_meta_of
from mathmesh.dare.suites import A256CBC, INTEROPERABLE, S512, Suites
from mathmesh.keys.keyring import Keyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy

__all__ = ["Envelope", "Opened", "open_envelope", "seal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What an envelope held. `unverified` lists the kids of signatures whose key was not at hand.

    `header` is the header with its cloaked members in place.
    """

    plaintext: bytes
    content_meta: ContentMeta
    signed_by: tuple[str, ...]
    unverified: tuple[str, ...]
    annotations: tuple[bytes, ...] = ()
    header: dict[str, Any] = field(default_factory=dict)


def seal(
    plaintext: bytes,
    *,
    entropy: Entropy,
    recipients: Sequence[Recipient] = (),
    symmetric: Sequence[bytes] = (),
    signer: PrivateKey | None = None,
    signers: Sequence[PrivateKey] = (),
    content_meta: ContentMeta | None = None,
    envelope_id: str | None = None,
    annotations: Sequence[bytes] = (),
    cloaked: Mapping[str, Any] | None = None,
    enc: str = A256CBC,
    dig: str = S512,
    suites: Suites = INTEROPERABLE,
) -> Envelope:
    """The envelope of `plaintext`, encrypted when there is any recipient, always with its digest.

    `symmetric` holds secrets as octets after the type octet of their UDF; `signer` and all `signers` sign
    with Ed448 or Ed25519. Every envelope has a base seed and a salt of its own. `cloaked` are header members
    that only recipients see. Other algorithms than A256CBC and S512 need `suites` that allow them.
    """
    sealing = Sealing(
        entropy=entropy,
        recipients=recipients,
        symmetric=symmetric,
        signers=(*(() if signer is None else (signer,)), *signers),
        content_meta=content_meta,
        envelope_id=envelope_id,
        annotations=annotations,
        cloaked=cloaked,
        enc=enc,
        dig=dig,
        suites=suites,
    )
    body = sealing.encrypt(plaintext)
    hasher = sealing.hasher()
    hasher.update(body)
    return Envelope(sealing.header, body, sealing.trailer(hasher.digest()))


def open_envelope(
    envelope: Envelope,
    *,
    keyring: Keyring | None = None,
    signers: Signers = (),
    require_signature: bool = False,
    require_digest: bool = True,
    suites: Suites = INTEROPERABLE,
) -> Opened:
    """Verified and decrypted payload of `envelope`.

    `signers` are the public keys that may be believed; a mapping is read for its values, since the
    identifier of a key is computed and never taken from elsewhere. `require_digest` false reads encrypted
    bodies without digest, as published examples hold.
    Raises VerificationError when any check fails, KeyUnavailableError when no key opens the body,
    PolicyError for algorithms or sizes we refuse, EncodingError for malformed members.
    """
    opening = Opening(envelope.header, suites=suites, dig=envelope.trailer.get("dig"))
    hasher = opening.hasher()
    hasher.update(envelope.body)
    signed_by, unverified = opening.check(
        hasher.digest(),
        envelope.trailer,
        signers=signers,
        require_signature=require_signature,
        require_digest=require_digest,
    )
    opening.unlock(keyring)
    plaintext = opening.decrypt(envelope.body)
    if opening.encrypted:
        opening.check_witnesses(envelope.trailer)
    opening.uncloak()
    return Opened(
        plaintext=plaintext,
        content_meta=content_meta_of(opening.header),
        signed_by=signed_by,
        unverified=unverified,
        annotations=opening.annotations(),
        header=opening.header,
    )
