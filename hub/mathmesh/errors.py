"""Every error the core raises, one class for each different reaction.

Messages name the object and the remedy; they never hold key material. Mapping to an HTTP status,
an exit code or a refusal on the wire happens at the edge only. This module also runs on MicroPython.
"""


class MeshError(Exception):
    """Base of all errors raised on purpose."""


class EncodingError(MeshError):
    """Octets or text that do not follow their format; ask the sender for a correct copy."""


class VerificationError(MeshError):
    """A signature, digest, tree, witness or MAC does not hold; the object must not be used."""


class KeyUnavailableError(MeshError):
    """No key at hand opens or signs the object; the message names the key identifiers wanted."""


class PolicyError(MeshError):
    """Well formed and authentic, yet refused by a rule of ours."""


class ProtocolError(MeshError):
    """A step out of order or a value that the protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """Our own code asked for a step that the conversation does not allow."""


class RemoteProtocolError(ProtocolError):
    """The other side sent something that the conversation does not allow."""


class StoreError(MeshError):
    """A store cannot be read or written as asked."""
