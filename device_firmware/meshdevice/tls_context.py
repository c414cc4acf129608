"""TLS towards the broker for boards that can afford it; the records inside are sealed either way."""

import ssl

from mathmesh.codec import b64


def context(ca: str) -> object:
    """A context that trusts only the authority `ca`, base64url of a DER certificate (not PEM)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_verify_locations(cadata=b64.decode(ca))
    return made
