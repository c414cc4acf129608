"""Claiming a device by the code on its label (mesh-protocol, Claim; protocol book, "Claim lock")."""

from __future__ import annotations

from dataclasses import dataclass, field

from mathmesh.codec import udf, uri
from mathmesh.dare.envelope import Envelope
from mathmesh.errors import PolicyError
from mathmesh.schema.profile import ProfileDevice
from mathmesh.service import messages as wire
from mathmesh.service.client import ServiceRefusal


class ClaimError(PolicyError):
    """A claim that was refused."""


class AlreadyClaimed(ClaimError):
    """Another account holds the device. `by` is its address."""

    def __init__(self, by: str) -> None:
        super().__init__(
            f"this device is already claimed by {by}; ask its owner to release it, or reset the device"
        )
        self.by = by


class UnknownPublication(ClaimError):
    """The maker's account publishes nothing under this code."""


class OtherMaker(ClaimError):
    """The code names an account that the service at hand does not serve. `domain` is that account's."""

    def __init__(self, domain: str) -> None:
        super().__init__(
            f"this is a device of another maker, {domain}, which this hub does not serve; "
            "its maker's service must be reachable to add it"
        )
        self.domain = domain


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimResult:
    """A device that was claimed: its verified profile, and `k`, the secret octets of the label."""

    profile_device: ProfileDevice
    profile_envelope: Envelope
    hailing: tuple[str, ...]
    publication_id: str
    k: bytes = field(repr=False)
    claim_message_id: str
    maker: str


def parse_label(connect_uri: str) -> tuple[str, bytes]:
    """Maker's account address and secret octets of the code on a label.

    Raises EncodingError when it is no Mesh Connect URI, PolicyError when it is one of another use.
    """
    account, key = uri.parse_mcu(connect_uri)
    code, secret = udf.parse(key)
    if code != udf.ENCRYPTION:
        raise PolicyError("this code is an invitation to an account, not the label of a device")
    return account, secret


def claim_error(refusal: ServiceRefusal, maker: str) -> Exception:
    """The refusal of a claim as the error that says what to do; the refusal itself where there is nothing
    better.
    """
    response = refusal.response
    if isinstance(response, wire.ClaimResponse) and response.claimed_by:
        return AlreadyClaimed(response.claimed_by)
    if refusal.status == wire.NOT_FOUND and refusal.status_extended == wire.MOVED:
        return OtherMaker(maker.rpartition("@")[2])
    if refusal.status == wire.NOT_FOUND:
        return UnknownPublication(
            f"{maker} publishes nothing under this code; check it letter by letter against the label"
        )
    return refusal
