"""Noise_NNpsk0_25519_AESCCM_SHA256 (Noise revision 34), and NN for the published test vectors.

The two messages of the pattern `psk, e` and `e, ee`. The name AESCCM is ours: cipher meshlink.ccm.CcmCipher.
Rules beyond Noise: a psk below 112 bits is refused; an all-zero X25519 result is refused; a message that
does not verify leaves the state as it was; the responder verifies message 1 by hash and AES alone.
"""

from mathmesh.errors import ProtocolError
from meshlink.ccm import CcmCipher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from meshlink.suite import Cipher, Suite

NAME = b"Noise_NNpsk0_25519_AESCCM_SHA256"
MINIMUM_PSK = 14
KEY = 32
TAG = 16

_EXPORT = b"mh1 export"


class Handshake:
    """One run of the pattern; make one for every try and for every message 1 received.

    psk: 32 octets, None for the pattern without one. `cipher(suite, key)` and `name` are other than the
    default in tests only. Members h, ck, k are Noise's.
    """

    def __init__(
        self,
        suite: "Suite",
        prologue: bytes,
        psk: bytes | None,
        name: bytes = NAME,
        cipher: "Callable[[Suite, bytes], Cipher] | None" = None,
    ) -> None:
        if psk is not None:
            check_psk(psk)
        self._suite = suite
        self._cipher = cipher or CcmCipher
        self._psk = psk
        self._private: bytes | None = None
        self._peer = b""
        self.n = 0
        self.k: bytes | None = None
        self.h = name + bytes(KEY - len(name)) if len(name) <= KEY else suite.sha256(name)
        self.ck = self.h
        self.mix_hash(prologue)

    # The two messages

    def write_first(self, payload: bytes = b"", ephemeral: bytes | None = None) -> bytes:
        """Message 1 of the initiator; ephemeral (32 octets) is drawn unless given."""
        public = self._draw(ephemeral)
        if self._psk is not None:
            self.mix_psk(self._psk)
        self.mix_ephemeral(public)
        return public + self.encrypt(payload)

    def read_first(self, message: bytes) -> bytes | None:
        """Payload of message 1, or None when its tag does not hold."""
        kept = self._state()
        if len(message) < KEY:
            return None
        self._peer = bytes(message[:KEY])
        if self._psk is not None:
            self.mix_psk(self._psk)
        self.mix_ephemeral(self._peer)
        payload = self.decrypt(message[KEY:])
        if payload is None:
            self._restore(kept)
        return payload

    def write_second(self, payload: bytes = b"", ephemeral: bytes | None = None) -> bytes | None:
        """Message 2 of the responder, or None when the initiator's point is of small order."""
        public = self._draw(ephemeral)
        shared = self._agree(self._peer)
        if shared is None:
            return None
        self.mix_ephemeral(public)
        self.mix_key(shared)
        return public + self.encrypt(payload)

    def read_second(self, message: bytes) -> bytes | None:
        """Payload of message 2; None, with the state as before, when X25519 or the tag fails."""
        if len(message) < KEY:
            return None
        kept = self._state()
        peer = bytes(message[:KEY])
        shared = self._agree(peer)
        if shared is None:
            return None
        self.mix_ephemeral(peer)
        self.mix_key(shared)
        payload = self.decrypt(message[KEY:])
        if payload is None:
            self._restore(kept)
        return payload

    # After message 2

    def split(self) -> tuple[bytes, bytes]:
        """(key of the initiator's records, key of the responder's), 32 octets each."""
        first, second = self._hkdf2(b"")
        return first, second

    def export(self) -> bytes:
        """xp, 32 octets: binds what is agreed later to this handshake; call it before erase()."""
        return self._suite.hmac(self.ck, _EXPORT + self.h)

    def erase(self) -> None:
        """Forget every secret of the handshake, h included."""
        self.ck = self.h = b""
        self.k = self._psk = self._private = None

    # Noise's own steps

    def mix_hash(self, data: bytes) -> None:
        """MixHash."""
        self.h = self._suite.sha256(self.h + data)

    def mix_key(self, material: bytes) -> None:
        """MixKey."""
        self.ck, self.k = self._hkdf2(material)
        self.n = 0

    def mix_psk(self, psk: bytes) -> None:
        """MixKeyAndHash."""
        self.ck, temporary = self._hkdf2(psk, keep=True)
        self.mix_hash(temporary)

    def mix_ephemeral(self, public: bytes) -> None:
        """Token `e`: with a psk the ephemeral key is mixed into the key too."""
        self.mix_hash(public)
        if self._psk is not None:
            self.mix_key(public)

    def encrypt(self, payload: bytes) -> bytes:
        """EncryptAndHash."""
        sealed = payload
        if self.k is not None:
            sealed = self._cipher(self._suite, self.k).seal(self.n, self.h, payload)
            self.n += 1
        self.mix_hash(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes | None:
        """DecryptAndHash; None when the tag does not hold."""
        payload: bytes | None = sealed
        if self.k is not None:
            payload = self._cipher(self._suite, self.k).open(self.n, self.h, sealed)
            if payload is None:
                return None
            self.n += 1
        self.mix_hash(sealed)
        return payload

    def _hkdf2(self, material: bytes, keep: bool = False) -> tuple[bytes, bytes]:
        """Two outputs of Noise's HKDF; with `keep` the third becomes k, as MixKeyAndHash asks."""
        suite = self._suite
        root = suite.hmac(self.ck, material)
        one = suite.hmac(root, b"\x01")
        two = suite.hmac(root, one + b"\x02")
        if keep:
            self.k = suite.hmac(root, two + b"\x03")
            self.n = 0
        return one, two

    def _draw(self, ephemeral: bytes | None) -> bytes:
        self._private = ephemeral or self._suite.random(KEY)
        return self._suite.x25519_base(self._private)

    def _agree(self, peer: bytes) -> bytes | None:
        if self._private is None:
            raise ProtocolError("this handshake is over: make a new one")
        shared = self._suite.x25519(self._private, peer)
        return shared if any(shared) else None

    def _state(self) -> tuple[bytes, bytes, bytes | None, int]:
        return self.h, self.ck, self.k, self.n

    def _restore(self, state: tuple[bytes, bytes, bytes | None, int]) -> None:
        self.h, self.ck, self.k, self.n = state


def check_psk(psk: bytes) -> None:
    """Raises ProtocolError unless psk has 32 octets and is no shorter key (under 112 bits) filled up with
    zeros.

    Message 1 lets anyone test guesses offline, so a psk comes from at least 112 bits of randomness.
    """
    if len(psk) != KEY or not any(psk[: KEY - MINIMUM_PSK + 1]) or not any(psk[MINIMUM_PSK - 1 :]):
        raise ProtocolError("the pre-shared key has fewer than 112 bits: derive it from a longer secret")
