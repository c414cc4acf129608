"""The envelope around an object: what is written into its header (mesh-schema §3, mesh-dare §3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import LocalProtocolError
from mathmesh.keys import ids
from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.schema.mesh_object import MeshObject
from mathmesh.schema.message import Message
from mathmesh.schema.primary_key import primary_key
from mathmesh.types import Entropy

CONTENT_TYPE = "application/mmm/object"


def enveloped(
    item: MeshObject,
    *,
    entropy: Entropy,
    now: datetime,
    signer: PrivateKey | None = None,
    recipients: Sequence[PublicKey] = (),
    symmetric: Sequence[bytes] = (),
    json_b: bool = False,
) -> Envelope:
    """`item` in an envelope, signed by `signer` and encrypted to `recipients` and the secrets `symmetric`.

    The header states the type, the primary key as ``UniqueId`` and ``EnvelopeId`` (a message: the id
    derived from its MessageId) and `now` as time of creation. Readers trust the body only.
    """
    key = primary_key(item)
    envelope_id = ids.envelope_id(key) if key is not None and isinstance(item, Message) else key
    return seal(
        item.encode_json_b() if json_b else item.encode(),
        entropy=entropy,
        recipients=recipients,
        symmetric=symmetric,
        signer=signer,
        content_meta=ContentMeta(unique_id=key, message_type=item.tag, cty=CONTENT_TYPE, created=now),
        envelope_id=envelope_id,
    )


def seconds(moment: datetime) -> datetime:
    """`moment` as it will be read again: times on the wire have whole seconds."""
    return moment.replace(microsecond=0)


def no_entropy(octets: int) -> bytes:
    """The source for what is signed with a derived key in clear: such an envelope holds nothing random."""
    raise LocalProtocolError(f"{octets} random octets wanted where none belong")
