"""With what a caller shows to a service who it is."""

from __future__ import annotations

from dataclasses import dataclass, field

from mathmesh.dare.envelope import Envelope
from mathmesh.keys.pair import PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys with which a caller signs its requests, opens the answers and is known to the service.

    A device signs and opens with its activated keys and shows its ConnectionDevice as `connection`; the
    account itself signs with AdministratorSignature and opens with CommonEncryption. To the service of
    another account a caller shows the `profile` of its own as well. `service_udf` is the service that the
    account's profile names: no other one is sent anything.
    """

    account: str
    authentication: PrivateKey = field(repr=False)
    signature: PrivateKey = field(repr=False)
    encryption: PrivateKey = field(repr=False)
    profile: Envelope | None = None
    connection: Envelope | None = None
    service_udf: str | None = None
