"""What onboarding agrees on: transcript, proofs and the keys of the later life (protocol book, "Onboarding").

T   = SHA-256(h || lp(device UDF) || lp(account UDF) || lp(P.Authentication) || lp(key) || lp(act))
PRK = Extract(salt = xp, ikm = Z);   X(label) = Expand(PRK, label || T, 32)
"""

from meshlink.hkdf import expand, extract, lp
from meshlink.record import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Suite

POINT = 57
SCALAR = 56
AGREED = 56

ORDER_448 = (1 << 446) - 13818066809895115352007386748515426880336692474882178609894547503885

_COFACTOR = 4
_INVERSE_OF_COFACTOR = next((i * ORDER_448 + 1) // 4 for i in range(4) if (i * ORDER_448 + 1) % 4 == 0)
_TOP_BIT = 447

_KEY = 17


class Agreement:
    """The results of one `adopt`; every attribute has 32 octets.

    h, xp: of the handshake. key, authentication: 57-octet public keys (the adopter's, the device's base
    one). z: the 56 octets of X448. Raises LinkError 17 when a size is wrong or Z is zero.
    """

    def __init__(
        self,
        suite: "Suite",
        h: bytes,
        xp: bytes,
        device_udf: bytes,
        account_udf: bytes,
        authentication: bytes,
        key: bytes,
        act: bytes,
        z: bytes,
    ) -> None:
        if len(key) != POINT or len(authentication) != POINT or len(z) != AGREED or not any(z):
            raise LinkError(_KEY, "the keys do not agree: one of them is not a usable X448 key")
        parts = (device_udf, account_udf, authentication, key, act)
        self.t = suite.sha256(h + b"".join([lp(part) for part in parts]))
        prk = extract(suite, xp, z)
        self.prk: bytes | None = prk
        self.proof_mac = expand(suite, prk, b"mh1 proof device" + self.t, 32)
        self.secrets_mac = expand(suite, prk, b"mh1 proof adopter" + self.t, 32)
        self.psk_run: bytes | None = expand(suite, prk, b"mh1 run" + self.t, 32)
        self.psk_repair: bytes | None = expand(suite, prk, b"mh1 repair" + self.t, 32)
        self.own: bytes | None = expand(suite, prk, b"mh1 owner" + self.t, 32)

    def erase(self) -> None:
        """Forget the keys; the MACs stay."""
        self.prk = self.psk_run = self.psk_repair = self.own = None


def ladder_scalar(s: bytes) -> bytes:
    """The scalar that RFC 7748 clamping leaves alone and that reaches the same u as `s`, cofactor cleared.

    s: 56 octets little-endian, a composite scalar, itself never clamped. k' = 4(s/4 mod L), or 4L - k'
    where bit 447 of that is clear; fewer than one in 2^120 of all s have neither form.
    """
    k = _COFACTOR * (int.from_bytes(s, "little") * _INVERSE_OF_COFACTOR % ORDER_448)
    if not k >> _TOP_BIT & 1:
        k = _COFACTOR * ORDER_448 - k
    return k.to_bytes(SCALAR, "little")
