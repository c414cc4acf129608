"""The policy of a sequence, a member of its first header (draft-hallambaker-mesh-dare §5.2).

The words are those of the reference: Once, Session, Isolated, None.
"""

from dataclasses import dataclass, field
from typing import Any

from mathmesh.dare.suites import A256CBC, S512
from mathmesh.errors import EncodingError, PolicyError
from mathmesh.keys.pair import PublicKey

ONCE = "Once"
SESSION = "Session"
ISOLATED = "Isolated"
NO_ENCRYPTION = "None"
ENCRYPTIONS = (ONCE, SESSION, ISOLATED, NO_ENCRYPTION)

_KNOWN = ("enc", "dig", "Encryption", "EncryptKeys", "Sealed", "Authenticated", "Cloaked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How frames are protected. An algorithm that is None is not written.

    Additions of ours: `authenticated` says that every sealed frame with a trailer carries a FrameMac,
    `cloaked` that descriptions of sealed data are encrypted too.
    """

    encryption: str = NO_ENCRYPTION
    encrypt_keys: tuple[PublicKey, ...] = ()
    sealed: bool = False
    authenticated: bool = False
    cloaked: bool = False
    enc: str | None = None
    dig: str | None = None
    unknown: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.encryption not in ENCRYPTIONS:
            raise PolicyError(f"sequence policy {self.encryption!r} is not one of {', '.join(ENCRYPTIONS)}")
        if self.encrypts and not self.encrypt_keys:
            raise PolicyError("a sequence that encrypts needs at least one recipient")

    @property
    def encrypts(self) -> bool:
        """Whether appended data is encrypted."""
        return self.encryption != NO_ENCRYPTION

    def to_json(self) -> dict[str, Any]:
        """The JSON object; `{}` when nothing is asked for."""
        result: dict[str, Any] = {}
        if self.enc is not None:
            result["enc"] = self.enc
        if self.dig is not None:
            result["dig"] = self.dig
        if self.encrypts:
            result["Encryption"] = self.encryption
            result["EncryptKeys"] = [key.to_json() for key in self.encrypt_keys]
        if self.sealed:
            result["Sealed"] = True
        if self.authenticated:
            result["Authenticated"] = True
        if self.cloaked:
            result["Cloaked"] = True
        return result | self.unknown

    @classmethod
    def from_json(cls, value: object) -> "Policy":
        """The policy in a first header; without a word for it, keys mean Isolated."""
        members = {} if value is None else value
        if not isinstance(members, dict):
            raise EncodingError("policy of the sequence is not an object")
        keys = tuple(PublicKey.from_json(key) for key in members.get("EncryptKeys") or ())
        default = ISOLATED if keys else NO_ENCRYPTION
        return cls(
            encryption=members.get("Encryption", default),
            encrypt_keys=keys,
            sealed=members.get("Sealed") is True,
            authenticated=members.get("Authenticated") is True,
            cloaked=members.get("Cloaked") is True,
            enc=members.get("enc"),
            dig=members.get("dig"),
            unknown={name: item for name, item in members.items() if name not in _KNOWN},
        )


def policy_for(recipients: tuple[PublicKey, ...], encryption: str, *, cloaked: bool = False) -> Policy:
    """The policy of our own stores for these recipients; without any, nothing is encrypted."""
    if not recipients:
        return Policy()
    if encryption == NO_ENCRYPTION:
        raise PolicyError("recipients are named but the sequence is not to be encrypted; leave them out")
    return Policy(
        encryption=encryption,
        encrypt_keys=recipients,
        sealed=True,
        authenticated=True,
        cloaked=cloaked,
        enc=A256CBC,
        dig=S512,
    )
