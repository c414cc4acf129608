"""Profiles, contacts, claims and messages as they arrive: nothing verifies but what was signed."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from mathmesh.dare.envelope import Envelope, seal
from mathmesh.errors import MeshError
from mathmesh.keys import derive
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.schema import build
from mathmesh.schema.message import MessageComplete
from mathmesh.schema.profile_validation import (
    verify_profile_account,
    verify_profile_device,
    verify_profile_host,
    verify_profile_service,
    verify_profile_user,
)
from mathmesh.schema.verify.contact import verify_contact
from mathmesh.schema.verify.message import verify_message
from mathmesh.service.enveloping import read_request

ENTROPY = random.Random("messages to be damaged").randbytes
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADDRESS = "alice@example.com"
SEED = derive.new_seed(derive.PROFILE_ACCOUNT, ENTROPY)
SIGNER = derive.derive_key(SEED, "CompleteAccountSign")
KEYRING = MemoryKeyring([derive.derive_key(SEED, "CompleteAccountEncrypt")])
PROFILE = build.make_profile_user(SEED, ADDRESS, "MDDK-7N6A-727A-GDGR-7G5N-ISXQ-2QEU", NOW)
USER = verify_profile_user(PROFILE, now=NOW)
MESSAGE = seal(
    MessageComplete(message_id="NAAA-AAAA-AAAA", sender=ADDRESS, recipient=ADDRESS).encode(),
    entropy=ENTROPY,
    signer=SIGNER,
)
MADE = (
    PROFILE,
    build.make_profile_device(derive.new_seed(derive.PROFILE_DEVICE, ENTROPY), NOW),
    build.make_profile_host(derive.new_seed(derive.PROFILE_DEVICE, ENTROPY), NOW),
    build.make_profile_service(derive.new_seed(derive.PROFILE_SERVICE, ENTROPY), NOW),
    MESSAGE,
)
BODIES = {envelope.body for envelope in MADE}


def seeds() -> Iterable[bytes]:
    """One of each."""
    for envelope in MADE:
        yield envelope.to_json()
        yield envelope.to_json_b()


def one(data: bytes) -> None:
    """Each entry function refuses with an error of ours, or returns what its owner signed."""
    try:
        envelope = Envelope.from_bytes(data)
    except MeshError:
        return
    for verify in (
        verify_profile_user,
        verify_profile_device,
        verify_profile_service,
        verify_profile_host,
        verify_profile_account,
        verify_contact,
        partial(verify_message, kind=MessageComplete, sender=USER, recipient=ADDRESS, keyring=KEYRING),
    ):
        try:
            verify(envelope, now=NOW)
        except MeshError:
            continue
        assert envelope.body in BODIES
    try:
        read_request(envelope, KEYRING)
    except MeshError:
        pass
