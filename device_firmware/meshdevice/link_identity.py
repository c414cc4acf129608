"""The identity as the link wants it: its own names, the description, and how an activation is opened."""

from meshlink import label

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from meshdevice.identity import Identity


class LinkIdentity:
    """Attributes udf, lid, psk_on, authentication, boot, description, board, fw, fwh, led, both."""

    def __init__(
        self,
        suite: "Any",
        identity: "Identity",
        *,
        boot: int,
        description: dict[str, object],
        config: "Any",
        fw: str,
        fwh: bytes,
    ) -> None:
        self._suite = suite
        self._enc = identity.enc
        self._auth = identity.auth
        self.udf = identity.udf
        self.lid = label.lid(suite, identity.pid)
        self.psk_on = identity.psk_on
        self.authentication = identity.auth_pub
        self.boot = boot
        self.description = description
        self.board = config.NAME
        self.fw = fw
        self.fwh = fwh
        self.led = config.LED
        self.both = config.BOTH

    def activate(self, act: bytes) -> dict[str, bytes]:
        """Scalars of the account's activation by name; LinkError 16 when it is not for this device."""
        from meshdevice.activation import (
            open_activation,
        )  # a unit that is not adopted now does without its code

        opened = open_activation(self._suite, act, self._enc, self._auth)
        return {"authentication": opened["authentication"]}
