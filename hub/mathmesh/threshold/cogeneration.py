"""Key co-generation, by which an administrator activates a device (draft-hallambaker-threshold §3.3).

Neither side alone knows the composite private key. Whoever adds a contribution must have seen the other's
public key first and proven to be its owner's, or the other side could choose a key that cancels it.
"""

from mathmesh.keys.pair import PrivateKey, PublicKey
from mathmesh.threshold import group


def combine_public(base: PublicKey, activation: PublicKey) -> PublicKey:
    """Public key of the composite; raises as `group.add_public` does."""
    return group.add_public(base, activation)


def combine_private(base: PrivateKey, activation: PrivateKey) -> PrivateKey:
    """The composite private key, a bare scalar that is never clamped."""
    crv = group.same_curve(base.crv, activation.crv)
    return PrivateKey.from_scalar(crv, group.add_scalars(crv, base.scalar, activation.scalar))
