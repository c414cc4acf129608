"""From when until when something counts (draft-hallambaker-mesh-schema §4.1, §7, §10)."""

from __future__ import annotations

from datetime import datetime

from mathmesh.errors import VerificationError
from mathmesh.keys.pair import PublicKey
from mathmesh.schema.key_data import KeyData, keys_within
from mathmesh.schema.mesh_object import MeshStruct


def check_keys_valid(item: MeshStruct, now: datetime | None) -> None:
    """Require that `now` is within NotBefore and NotOnOrAfter of every key in `item`, at any depth.

    What lies in an envelope is left to the verification of its own kind. None for `now` checks nothing.
    """
    if now is None:
        return
    for data in keys_within(item):
        if data.not_before is not None and now < data.not_before:
            raise VerificationError(f"key {data.udf} is not valid yet")
        check_not_expired(data.not_on_or_after, now, f"key {data.udf}")


def key_in_use(data: KeyData | None, what: str, now: datetime | None = None) -> PublicKey:
    """The public key of `data`, which must be there and, where `now` is given, be valid then."""
    if data is None:
        raise VerificationError(f"there is no {what}")
    check_keys_valid(data, now)
    return data.public_key()


def check_not_expired(until: datetime | None, now: datetime | None, what: str) -> None:
    """Require that `until`, where stated, is later than `now`."""
    if until is not None and now is not None and until <= now:
        raise VerificationError(f"{what} has expired")


def check_issued(issued: int | None, now: datetime, what: str) -> None:
    """Require that `issued`, seconds since 1970 where stated, is not later than `now`.

    The draft gives no unit. A count of issues, which others may mean, is a time long past and passes.
    """
    if issued is not None and issued > now.timestamp():
        raise VerificationError(f"{what} is not issued yet")
