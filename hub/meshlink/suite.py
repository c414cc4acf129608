"""What the link asks of its cryptography, as types for the checkers; nothing here exists at run time.

Two suites fulfil it: meshhub.link_suite.HubSuite on the hub and meshdevice.crypto.DeviceSuite on the device.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    Effect = tuple[Any, ...]
    Effects = list[Effect]

    BlockFunction = Callable[[bytes | bytearray | memoryview, bytearray | memoryview], None]
    """Encrypts whole 16-octet blocks of its first argument into its second; both may be the same buffer."""

    class Suite(Protocol):
        """Primitives; every result is `bytes` of the size in the comment."""

        def sha256(self, data: bytes) -> bytes:  # 32
            ...

        def hmac(self, key: bytes, data: bytes) -> bytes:  # 32, HMAC-SHA-256
            ...

        def aes_ecb(self, key: bytes) -> BlockFunction:  # AES-256
            ...

        def aes_cbc(self, key: bytes) -> BlockFunction:  # AES-256, zero IV, chained over its calls
            ...

        def x25519(self, scalar: bytes, u: bytes) -> bytes:  # 32, all zero for a point of small order
            ...

        def x25519_base(self, scalar: bytes) -> bytes:  # 32
            ...

        def x448(self, scalar: bytes, u: bytes) -> bytes:  # 56, all zero for a point of small order
            ...

        def random(self, count: int) -> bytes:  # count
            ...

    class Cipher(Protocol):
        """An AEAD under one key; `n` is the Noise nonce or a record's counter."""

        def seal(self, n: int, associated: bytes, plaintext: bytes) -> bytes: ...

        def open(self, n: int, associated: bytes, sealed: bytes) -> bytes | None: ...

    class Identity(Protocol):
        """What onboarding needs to know of the device it runs on (protocol book, "Identity")."""

        udf: bytes
        lid: bytes
        psk_on: bytes
        authentication: bytes
        boot: int
        description: dict[str, Any]
        board: str
        fw: str
        fwh: bytes
        led: bool
        both: bool

        def activate(self, act: bytes) -> dict[str, bytes]: ...
