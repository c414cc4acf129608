"""Recovery record: data sealed under a master secret that is known to the holders of its shares only.

The record is kept, by anyone, under the identifier of the secret (mesh-udf §5.4). A quorum of the shares
gives the secret and with it the identifier: shares alone find the record, and the record tells a wrong secret
from the right one (mesh-udf §4.6, protocol book).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mathmesh.codec import udf
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope
from mathmesh.dare.locator import Located, open_located, seal_located
from mathmesh.errors import EncodingError, KeyUnavailableError, VerificationError
from mathmesh.keys import earl, symmetric
from mathmesh.threshold import recovery
from mathmesh.types import Entropy

SECRET_OCTETS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryRecord:
    """A sealed record and what its maker hands out: the shares to their holders, `identifier` to everyone.

    `secret` opens the record without shares: forget it.
    """

    identifier: str
    envelope: Envelope
    shares: tuple[str, ...] = field(repr=False)
    secret: str = field(repr=False)


def make_record(
    content: bytes,
    threshold: int,
    count: int,
    *,
    entropy: Entropy,
    secret: str | None = None,
    content_meta: ContentMeta | None = None,
) -> RecoveryRecord:
    """A record of `content` that any `threshold` of `count` shares open.

    `secret` is a key UDF of type E, fresh by default. Raises EncodingError and PolicyError as
    `recovery.share` does, EncodingError also for a seed: keys of other uses do not seal records.
    """
    key = secret or symmetric.new_key(entropy, SECRET_OCTETS)
    if udf.parse(key)[0] != udf.ENCRYPTION:
        raise EncodingError("a recovery record is sealed under a key UDF that begins with EA to ED")
    shares = recovery.share(key, threshold, count, entropy)
    return RecoveryRecord(
        identifier=earl.content_id(key),
        envelope=seal_located(content, key, entropy=entropy, content_meta=content_meta),
        shares=tuple(shares),
        secret=udf.canonical(key),
    )


def open_record(envelope: Envelope, shares: Sequence[str], *, identifier: str | None = None) -> Located:
    """The content of a record, opened with a quorum of its shares.

    `identifier` is the name that the record was found under. Raises VerificationError when the shares are
    too few, do not belong together or give another secret than that of the record, and for an altered record.
    """
    found = recovery.recover(shares, expected=identifier)
    try:
        return open_located(envelope, found.udf)
    except (KeyUnavailableError, EncodingError):
        raise VerificationError(
            "shares give another secret than that of the record; one of them is wrong or of another set"
        ) from None
