"""Activated keys: what administrator and device compute apart is one key."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import MeshError, VerificationError
from mathmesh.keys.pair import PublicKey
from mathmesh.schema import KeyData, ProfileDevice, activated_public

SEED = "ZAAQ-H7CI-YZHV-CODZ-P3DR-5E6K-AF3P-TIDI-36IU-D67X-7X4T-76IH-QC6F-VKCY"
BASE_ENCRYPT = bytes.fromhex(
    "c97ca671a6e18ffcae84bf3c1c6fea98db90cd06d61b0f0bb88c1c09b58f456ff0bb33e83b389c91f34561622a99caf40141ed78f5"
    "c9286280"
)
BASE_SIGN = bytes.fromhex(
    "17fd3ec04b9854dd5d046a9fa76c1fad33052b5d0468d39794409985cd8d06cd4462e851f539673592205bdf82cb17991f158f329c"
    "66daf400"
)


def test_the_published_activation_is_reproduced(world: Any) -> None:
    device = ProfileDevice(
        encryption=KeyData.of_public(PublicKey("X448", BASE_ENCRYPT)),
        signature=KeyData.of_public(PublicKey("Ed448", BASE_SIGN)),
        authentication=world.profile_device_object.authentication,
    )
    keys = activated_public(device, SEED)
    assert keys.encryption.udf == "MAST-EV3R-CLXM-LVOO-L3FH-QHJ7-WATP"
    assert keys.signature.udf == "MBLJ-ADU3-FC24-MNUN-QVH2-7PRQ-XXQA"


def test_the_device_computes_what_the_administrator_computed(world: Any) -> None:
    assert activated_public(world.profile_device_object, world.activation_seed) == world.keys.public


def test_activated_keys_work(world: Any) -> None:
    signature = world.keys.signature.sign(b"message", world.entropy)
    world.keys.public.signature.verify(signature, b"message")
    peer = world.key("Encrypt")
    assert world.keys.authentication.agree(peer.public) == peer.agree(world.keys.public.authentication)


def test_three_keys_are_three(world: Any) -> None:
    public = world.keys.public
    assert len({public.signature.udf, public.encryption.udf, public.authentication.udf}) == 3


def test_a_profile_without_base_key_activates_nothing(world: Any) -> None:
    with pytest.raises(VerificationError, match="lacks a base key"):
        activated_public(replace(world.profile_device_object, authentication=None), world.activation_seed)
    with pytest.raises(MeshError):
        activated_public(world.profile_device_object, world.account.udf)
