"""The service's own keys, all from one seed (type 0x0104), and the profile that names them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema.build.enveloped import enveloped, no_entropy
from mathmesh.schema.build.profile import SERVICE, make_profile_service
from mathmesh.schema.connection import AccountHostAssignment
from mathmesh.schema.key_data import KeyData
from mathmesh.schema.profile import ProfileService
from mathmesh.schema.validation import verify_profile_service
from mathmesh.service.host import HostIdentity

HOST_ENCRYPT = "BaseHostEncrypt"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceIdentity:
    """Profile and private keys of a service, and of the host that speaks for it here.

    `domains` are the lower-case domains of the account addresses that it serves; `access_encrypt` is the
    host's key to which MMM_Access and MMM_Publication are encrypted, `encryption` the ServiceEncryption key
    to which requests are.
    """

    domains: frozenset[str]
    profile_envelope: Envelope
    profile: ProfileService
    signature: PrivateKey
    access_encrypt: PrivateKey
    encryption: PrivateKey
    host: HostIdentity | None = None

    @property
    def responder(self) -> PrivateKey:
        """The key that signs answers: the host's, where this host has been connected, else the service's."""
        return self.signature if self.host is None else self.host.signature

    @classmethod
    def from_seed(cls, seed_udf: str, domains: frozenset[str], created: datetime) -> ServiceIdentity:
        """The identity that follows from a seed; `created` goes into the profile, which is thus always the
        same.
        """
        envelope = make_profile_service(seed_udf, created)
        return cls(
            domains=frozenset(domain.lower() for domain in domains),
            profile_envelope=envelope,
            profile=verify_profile_service(envelope),
            signature=derive.derive_key(seed_udf, SERVICE + "Sign"),
            access_encrypt=derive.derive_key(seed_udf, HOST_ENCRYPT),
            encryption=derive.derive_key(seed_udf, SERVICE + "Encrypt"),
        )

    def assignment(self, address: str, now: datetime) -> Envelope:
        """The signed statement which key of this host the account's Access and Publication are encrypted
        to.
        """
        statement = AccountHostAssignment(
            account_addess=address, access_encrypt=KeyData.of_public(self.access_encrypt.public)
        )
        return enveloped(statement, entropy=no_entropy, now=now, signer=self.signature)

    def serves(self, address: str) -> bool:
        """Whether the domain of an account address is one of this service's."""
        return address.lower().rpartition("@")[2] in self.domains
