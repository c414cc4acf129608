"""A household, a maker, a device and what connects them, all from fixed seeds."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mathmesh.codec import udf
from mathmesh.dare.envelope import Envelope
from mathmesh.keys import derive, earl, ids
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    AcknowledgeConnection,
    ActivationApplicationSsh,
    ActivationCommon,
    ApplicationEntry,
    CatalogedAccess,
    CatalogedApplicationSsh,
    CatalogedCallsign,
    CatalogedDevice,
    CatalogedPublication,
    ContactPerson,
    DeviceKeys,
    KeyData,
    PersonName,
    ProfileDevice,
    ProfileUser,
    RequestConfirmation,
    RequestConnection,
    activate,
    verify_profile_device,
    verify_profile_user,
)
from mathmesh.schema.build import (
    Membership,
    Service,
    enveloped,
    make_account_host_assignment,
    make_acknowledge_connection,
    make_activation_common,
    make_activation_host,
    make_application_entry,
    make_cataloged_callsign,
    make_cataloged_device,
    make_cataloged_ssh,
    make_connection_host,
    make_contact,
    make_group_invitation,
    make_membership,
    make_message_claim,
    make_message_contact,
    make_message_pin,
    make_profile_device,
    make_profile_group,
    make_profile_host,
    make_profile_service,
    make_profile_user,
    make_publication,
    make_request_confirmation,
    make_request_connection,
    make_respond_connection,
    make_response_confirmation,
    make_threshold_activation,
)
from mathmesh.schema.pin import pin_proof
from mathmesh.schema.signed import object_in
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
    service_seed: str
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
    def service_signature(self) -> PrivateKey:
        """The key with which the household's service signs."""
        return derive.derive_key(self.service_seed, "BaseServiceSign")

    def keyring(self, seed: str | None = None) -> MemoryKeyring:
        """What opens messages to the household (or the account with `seed`)."""
        return MemoryKeyring([self.key("Encrypt", seed)])

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
        service_seed=service_seed,
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


@dataclass
class Kinds:
    """One good object of each kind that is verified in `mathmesh.schema.verify`; Bob is the other account."""

    pin: str
    message_pin: Envelope
    request: Envelope
    acknowledgement: Envelope
    response: Envelope
    contact: Envelope
    their_contact: Envelope
    contact_pin: Envelope
    message_contact: Envelope
    question: Envelope
    answer: Envelope
    group_seed: str
    profile_group: Envelope
    membership: Membership
    invitation: Envelope
    host_seed: str
    profile_host: Envelope
    host_activation: str
    connection_host: Envelope
    activation_host: Envelope
    assignment: Envelope
    ssh: CatalogedApplicationSsh
    ssh_entry: ApplicationEntry
    callsign: CatalogedCallsign
    threshold: tuple[ActivationCommon, CatalogedAccess]


PIN = udf.text(udf.MAC, bytes(range(15)))
CONTACT_PIN = udf.text(udf.MAC, bytes(range(16)))
HOST_KEY = "BaseHostEncrypt"


def build_connecting(world: World, cataloged: CatalogedDevice) -> dict[str, Any]:
    """A device asks with a PIN, the service acknowledges, the account answers."""
    request = make_request_connection(
        world.profile_device,
        account_address="alice@hub.local",
        signer=derive.derive_key(world.device_seed, "BaseDeviceSign"),
        entropy=source("request"),
        now=NOW,
        pin=PIN,
    )
    acknowledgement = make_acknowledge_connection(
        request, account=world.account, signer=world.service_signature, entropy=source("ack"), now=NOW
    )
    nonce = object_in(request, RequestConnection).client_nonce or b""
    salted = ids.salted_pin(PIN, "Device")
    response = make_respond_connection(
        object_in(acknowledgement, AcknowledgeConnection).message_id or "",
        "Accept",
        cataloged,
        world.profile_device_object,
        sender="alice@hub.local",
        signer=world.key("Sign"),
        entropy=source("response"),
        now=NOW,
        proof=pin_proof(salted, "alice@hub.local", world.account.udf, nonce),
    )
    message_pin = make_message_pin(
        PIN,
        account="Alice@hub.local",
        signer=world.key("Sign"),
        recipient=world.key("Encrypt").public,
        entropy=source("pin"),
        now=NOW,
        automatic=True,
        roles=["device"],
    )
    return {
        "pin": PIN,
        "message_pin": message_pin,
        "request": request,
        "acknowledgement": acknowledgement,
        "response": response,
    }


def build_exchange(world: World) -> dict[str, Any]:
    """Alice gave Bob a PIN, Bob sends his contact; Bob asks a question, Alice answers."""
    bob = world.key("Sign", world.other_seed)
    name = ContactPerson(common_names=(PersonName(full_name="Bob", middle=()),))
    their_contact = make_contact(world.other_user, name, signer=bob, now=NOW)
    contact_pin = make_message_pin(
        CONTACT_PIN,
        account="alice@hub.local",
        signer=world.key("Sign"),
        recipient=world.key("Encrypt").public,
        entropy=source("contact pin"),
        now=NOW,
        action="Contact",
    )
    message_contact = make_message_contact(
        their_contact,
        sender="mallory@hub.local",
        recipient="alice@hub.local",
        signer=bob,
        entropy=source("message contact"),
        now=NOW,
        recipients=[world.key("Encrypt").public],
        reply=True,
        own_pin=CONTACT_PIN,
        their_pin=CONTACT_PIN,
    )
    question = make_request_confirmation(
        "open the garage",
        sender="mallory@hub.local",
        recipient="alice@hub.local",
        signer=bob,
        entropy=source("question"),
        now=NOW,
        recipients=[world.key("Encrypt").public],
    )
    answer = make_response_confirmation(
        object_in(question, RequestConfirmation, keyring=world.keyring()),
        question,
        True,
        signer=world.key("Sign"),
        entropy=source("answer"),
        now=NOW,
        recipients=[world.key("Encrypt", world.other_seed).public],
    )
    return {
        "contact": make_contact(world.profile_user, signer=world.key("Sign"), now=NOW),
        "their_contact": their_contact,
        "contact_pin": contact_pin,
        "message_contact": message_contact,
        "question": question,
        "answer": answer,
    }


def build_group(world: World) -> dict[str, Any]:
    """Alice makes a group and invites Bob; the service holds its share, and one of Alice's key."""
    group_seed = derive.new_seed(derive.PROFILE_ACCOUNT, source("group"))
    service_udf = world.account.service_udf or ""
    profile_group = make_profile_group(group_seed, "family@hub.local", service_udf, NOW)
    host_key = derive.derive_key(derive.new_seed(derive.PROFILE_DEVICE, source("host")), HOST_KEY).public
    group_service = Service(
        address="family@hub.local",
        host_key=host_key,
        administrator=world.key("AdminSign", group_seed),
    )
    membership = make_membership(
        world.key("Encrypt", group_seed),
        group_service,
        "mallory@hub.local",
        entropy=source("membership"),
        now=NOW,
    )
    invitation = make_group_invitation(
        profile_group,
        membership,
        sender="alice@hub.local",
        signer=world.key("Sign"),
        recipient_key=world.key("Encrypt", world.other_seed).public,
        entropy=source("invitation"),
        now=NOW,
        text="join us",
    )
    service = Service(address="alice@hub.local", host_key=host_key, administrator=world.key("AdminSign"))
    key_id = world.keys.authentication.public.udf
    threshold = make_threshold_activation(
        world.account_seed, key_id, service, entropy=source("threshold"), now=NOW
    )
    return {
        "group_seed": group_seed,
        "profile_group": profile_group,
        "membership": membership,
        "invitation": invitation,
        "threshold": threshold,
    }


def build_hosting(world: World) -> dict[str, Any]:
    """The service's host, its assignment to Alice, and Alice's applications and name."""
    host_seed = derive.new_seed(derive.PROFILE_DEVICE, source("host"))
    activation = derive.new_seed(derive.ACTIVATION_SERVICE, source("host activation"))
    profile_host = make_profile_host(host_seed, NOW)
    signer = world.service_signature
    ssh_key = PrivateKey.from_seed("Ed448", bytes(range(57)))
    ssh = make_cataloged_ssh(
        ssh_key, escrow=world.key("Escrow").public, entropy=source("ssh"), now=NOW, grant=["web"]
    )
    return {
        "host_seed": host_seed,
        "profile_host": profile_host,
        "host_activation": activation,
        "connection_host": make_connection_host(
            world.profile_service, profile_host, signer=signer, now=NOW, activation_seed=activation
        ),
        "activation_host": make_activation_host(
            world.profile_service,
            profile_host,
            activation,
            signer=signer,
            entropy=source("activation host"),
            now=NOW,
        ),
        "assignment": make_account_host_assignment(
            "alice@hub.local", derive.derive_key(host_seed, HOST_KEY).public, signer=signer, now=NOW
        ),
        "ssh": ssh,
        "ssh_entry": make_application_entry(
            ssh,
            ActivationApplicationSsh(client_key=KeyData.of_private(ssh_key)),
            device_key=world.keys.encryption.public,
            administrator=world.key("AdminSign"),
            entropy=source("ssh entry"),
            now=NOW,
        ),
        "callsign": make_cataloged_callsign(
            "Alice", world.account.udf, administrator=world.key("AdminSign"), now=NOW
        ),
    }


def build_kinds(world: World, cataloged: CatalogedDevice) -> Kinds:
    """All of the above."""
    return Kinds(
        **build_connecting(world, cataloged),
        **build_exchange(world),
        **build_group(world),
        **build_hosting(world),
    )


@pytest.fixture(scope="session")
def kinds(world: World, cataloged: CatalogedDevice) -> Kinds:
    return build_kinds(world, cataloged)


@pytest.fixture(scope="session")
def sign(world: World) -> Callable[..., Envelope]:
    """Envelopes any object as its rightful or another signer would."""

    def signed(item: Any, signer: PrivateKey | None, **options: Any) -> Envelope:
        return enveloped(item, entropy=world.entropy, now=world.now, signer=signer, **options)

    return signed


@pytest.fixture(scope="session")
def unsigned() -> Callable[[Envelope], Envelope]:
    """An envelope as the reference sends it: without signature and digest."""
    return lambda envelope: Envelope(envelope.header, envelope.body, {})
