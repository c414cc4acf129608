"""A household, a maker, a device and what connects them, all from fixed seeds."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, earl
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    ActivationCommon,
    CatalogedDevice,
    CatalogedPublication,
    DeviceKeys,
    ProfileDevice,
    ProfileUser,
    activate,
    verify_profile_device,
    verify_profile_user,
)
from mathmesh.schema.build import (
    make_activation_common,
    make_cataloged_device,
    make_message_claim,
    make_profile_device,
    make_profile_service,
    make_profile_user,
    make_publication,
)
from mathmesh.types import Entropy

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def source(label: str) -> Entropy:
    """Octets that are the same in every run."""
    state = hashlib.sha512(label.encode()).digest()

    def entropy(octets: int) -> bytes:
        nonlocal state
        state = hashlib.sha512(state).digest()
        return hashlib.shake_256(state).digest(octets)

    return entropy


@dataclass
class World:
    """Seeds and what follows from them."""

    now: datetime
    entropy: Entropy
    account_seed: str
    device_seed: str
    activation_seed: str
    other_seed: str
    profile_user: Envelope
    profile_device: Envelope
    profile_service: Envelope
    account: ProfileUser
    other_user: Envelope
    other: ProfileUser
    keys: DeviceKeys
    common: ActivationCommon
    k: bytes

    @property
    def profile_device_object(self) -> ProfileDevice:
        """The verified profile of the device."""
        return verify_profile_device(self.profile_device)

    def key(self, operation: str, seed: str | None = None) -> PrivateKey:
        """A private key of the household (or of the account with `seed`)."""
        return derive.derive_key(seed or self.account_seed, f"CompleteAccount{operation}")

    @property
    def base_keyring(self) -> MemoryKeyring:
        """What the device holds before it is connected."""
        return MemoryKeyring([derive.derive_key(self.device_seed, "BaseDeviceEncrypt")])

    @property
    def activated_keyring(self) -> MemoryKeyring:
        """What the device holds after its activation."""
        return MemoryKeyring([self.keys.encryption])


def build_world() -> World:
    """The household of all tests here."""
    entropy = source("schema")
    account_seed = derive.new_seed(derive.PROFILE_ACCOUNT, entropy)
    other_seed = derive.new_seed(derive.PROFILE_ACCOUNT, entropy)
    device_seed = derive.new_seed(derive.PROFILE_DEVICE, entropy)
    activation_seed = derive.new_seed(derive.ACTIVATION_ACCOUNT, entropy)
    service_seed = derive.new_seed(derive.PROFILE_SERVICE, entropy)
    service = make_profile_service(service_seed, NOW)
    service_udf = derive.derive_key(service_seed, "BaseServiceProfile").public.udf
    user = make_profile_user(account_seed, "Alice@Hub.local", service_udf, NOW)
    other_user = make_profile_user(other_seed, "mallory@hub.local", service_udf, NOW)
    return World(
        now=NOW,
        entropy=entropy,
        account_seed=account_seed,
        device_seed=device_seed,
        activation_seed=activation_seed,
        other_seed=other_seed,
        profile_user=user,
        profile_device=make_profile_device(device_seed, NOW),
        profile_service=service,
        account=verify_profile_user(user),
        other_user=other_user,
        other=verify_profile_user(other_user),
        keys=activate(device_seed, activation_seed),
        common=make_activation_common(account_seed, ["device"]),
        k=earl.connect_secret(device_seed, "maker@hub.local"),
    )


def build_cataloged(world: World) -> CatalogedDevice:
    """The device in the household's catalog."""
    return make_cataloged_device(
        world.profile_user,
        world.profile_device,
        world.key("AdminSign"),
        ["device"],
        world.activation_seed,
        source("cataloged"),
        NOW,
        world.common,
        local_name="kitchen lamp",
        labels=["lamp"],
        room="kitchen",
        description={"d": 1, "m": "maker/lamp"},
    )


def build_publication(world: World) -> CatalogedPublication:
    """What the maker published for the device."""
    return make_publication(
        world.k, None, world.profile_device, ["mmm-tcp://127.0.0.1:7000"], source("publication"), NOW
    )


def build_claim(world: World) -> Envelope:
    """The household's claim of the device."""
    return make_message_claim(
        world.k,
        sender="Alice@hub.local",
        recipient="maker@hub.local",
        claimant_udf=world.account.udf,
        signer=world.key("Sign"),
        entropy=source("claim"),
        now=NOW,
        expires=NOW + timedelta(days=1),
    )


@pytest.fixture(scope="session")
def octets() -> Callable[[str], Entropy]:
    """Label → a source of octets."""
    return source


@pytest.fixture(scope="session")
def world() -> World:
    return build_world()


@pytest.fixture(scope="session")
def cataloged(world: World) -> CatalogedDevice:
    return build_cataloged(world)


@pytest.fixture(scope="session")
def publication(world: World) -> CatalogedPublication:
    return build_publication(world)


@pytest.fixture(scope="session")
def claim(world: World) -> Envelope:
    return build_claim(world)


@pytest.fixture(scope="session")
def altered() -> Callable[[Envelope], Envelope]:
    """Flips one bit of the body of an envelope."""

    def flip(envelope: Envelope) -> Envelope:
        body = bytearray(envelope.body)
        body[len(body) // 2] ^= 1
        return Envelope(envelope.header, bytes(body), envelope.trailer)

    return flip
