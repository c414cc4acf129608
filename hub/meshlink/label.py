"""What follows from the secret k of a device's label (protocol book, "Identity"): the factory and the
adopter know k,

the device holds the results only.
"""

from mathmesh.codec import base32
from mathmesh.errors import ProtocolError
from meshlink.hkdf import derive
from meshlink.record import IDENTIFIER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from meshlink.suite import Suite

SECRET = 15
ADVERTISED = 6

_MINIMUM_SECRET = 14  # 112 bits: the Init record allows offline guessing
_ONBOARD = b"mh1 onboard"
_SOFTAP = b"mh1 softap"
_LABEL = b"mh1 label"


def psk_on(suite: "Suite", k: bytes) -> bytes:
    """Pre-shared key of onboarding, 32 octets, from the label's secret (15 octets; under 14 is refused)."""
    if len(k) < _MINIMUM_SECRET:
        raise ProtocolError("the label's secret has fewer than 112 bits: mint a new label")
    return derive(suite, k, _ONBOARD, 32)


def passphrase(suite: "Suite", k: bytes) -> str:
    """WPA2 passphrase of the device's own access point, 24 characters."""
    return base32.encode(derive(suite, k, _SOFTAP, 15)).lower()


def lid(suite: "Suite", publication_id: str) -> bytes:
    """The 10 octets that name a label without telling its secret; publication_id is the EB… text with
    dashes.
    """
    return suite.sha256(_LABEL + publication_id.encode())[:IDENTIFIER]


def advertised(lid_octets: bytes) -> bytes:
    """What is advertised of a lid, 6 octets."""
    return lid_octets[:ADVERTISED]


def ssid(lid_octets: bytes) -> str:
    """Name of the device's own access point."""
    return "mesh-" + base32.encode(advertised(lid_octets)).lower()[:8]
