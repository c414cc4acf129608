"""Checks 79 to 83: applications and their keys for a device."""

from dataclasses import replace
from typing import Any

import pytest

from mathmesh.errors import EncodingError, KeyUnavailableError, LocalProtocolError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.schema import (
    ActivationApplication,
    ActivationApplicationCallsign,
    ActivationApplicationGroup,
    ActivationApplicationMail,
    ActivationApplicationSsh,
    ApplicationEntryMail,
    ApplicationEntrySsh,
    CatalogedApplicationNetwork,
    CatalogedApplicationSsh,
    CatalogedCallsign,
    KeyData,
    primary_key,
)
from mathmesh.schema.build import (
    is_granted,
    make_application_entry,
    make_cataloged_group,
    make_cataloged_mail,
    make_cataloged_ssh,
)
from mathmesh.schema.signed import object_in
from mathmesh.schema.verify import verify_application_entry, verify_cataloged_application

RSA = {"PublicKeyRSA": {"kid": "MX", "n": "wamf", "e": "AQAB"}}
OTHER = PrivateKey.from_seed("Ed448", bytes(57))


def mail_keys() -> ActivationApplicationMail:
    seeds = {"smime_sign": 1, "smime_encrypt": 2, "openpgp_sign": 3}
    curves = {"smime_encrypt": "X448"}
    keys = {
        name: PrivateKey.from_seed(curves.get(name, "Ed448"), bytes([n] * 56)) for name, n in seeds.items()
    }
    return ActivationApplicationMail(
        smime_sign=KeyData.of_private(keys["smime_sign"]),
        smime_encrypt=KeyData.of_private(keys["smime_encrypt"]),
        openpgp_sign=KeyData.of_private(keys["openpgp_sign"]),
    )


@pytest.fixture(scope="module")
def mail(world: Any, octets: Any) -> Any:
    return make_cataloged_mail(
        "Alice@example.net",
        mail_keys(),
        escrow=world.key("Escrow").public,
        entropy=octets("mail"),
        now=world.now,
        inbound="imap://alice@imap.example.net",
        outbound="submit://alice@submit.example.net",
    )


def entry_for(world: Any, application: Any, activation: Any, **options: Any) -> Any:
    defaults = {
        "device_key": world.keys.encryption.public,
        "administrator": world.key("AdminSign"),
        "entropy": world.entropy,
        "now": world.now,
    }
    return make_application_entry(application, activation, **(defaults | options))


def verify(world: Any, entry: Any, application: Any, **options: Any) -> ActivationApplication:
    defaults = {"account": world.account, "keyring": world.activated_keyring, "now": world.now}
    return verify_application_entry(entry, application=application, **(defaults | options))


def test_good_applications_pass(world: Any, kinds: Any, mail: Any) -> None:
    assert verify_cataloged_application(kinds.ssh, now=world.now) == kinds.ssh
    assert primary_key(kinds.ssh) == kinds.ssh.client_key.udf
    assert verify_cataloged_application(mail, now=world.now) == mail
    assert primary_key(mail) == "mailto:alice@example.net"
    network = CatalogedApplicationNetwork(key="lan")
    assert verify_cataloged_application(network, now=world.now) == network
    assert mail.openpgp_encrypt is None


def test_the_escrow_opens_with_the_escrow_key(world: Any, kinds: Any, mail: Any) -> None:
    keyring = MemoryKeyring([world.key("Escrow")])
    [ssh] = [object_in(item, KeyData, keyring=keyring).private_key() for item in kinds.ssh.enveloped_escrow]
    assert ssh.public.udf == kinds.ssh.key
    kept = [object_in(item, KeyData, keyring=keyring) for item in mail.enveloped_escrow]
    assert [data.udf for data in kept] == [
        mail.smime_sign.udf,
        mail.smime_encrypt.udf,
        mail.openpgp_sign.udf,
    ]
    bare = make_cataloged_ssh(OTHER, escrow=None, entropy=world.entropy, now=world.now)
    assert bare.enveloped_escrow is None


@pytest.mark.parametrize(
    ("grant", "deny", "roles", "granted"),
    [
        (("web",), None, ["web"], True),
        (("web",), None, ["device"], False),
        (("web", "admin"), ("guest",), ["admin", "guest"], False),
        (None, None, ["web"], False),
        (("web",), (), [], False),
    ],
)
def test_grants_and_denials(grant: Any, deny: Any, roles: list[str], granted: bool) -> None:
    assert is_granted(CatalogedApplicationSsh(key="M", grant=grant, deny=deny), roles) is granted


def test_79_an_application_bears_its_own_name_and_no_secret(world: Any, kinds: Any, mail: Any) -> None:
    rsa = KeyData(udf="MX", public_parameters=RSA)
    assert verify_cataloged_application(
        CatalogedApplicationSsh(key="MAAA-MX", client_key=replace(rsa, udf="MAAA-MX")), now=world.now
    )
    for spoiled in (
        replace(kinds.ssh, key=OTHER.public.udf),
        replace(kinds.ssh, client_key=None),
        replace(kinds.ssh, client_key=KeyData.of_public(OTHER.public)),
        replace(kinds.ssh, client_key=replace(kinds.ssh.client_key, udf=OTHER.public.udf)),
        replace(kinds.ssh, client_key=KeyData.of_private(OTHER), key=OTHER.public.udf),
        replace(kinds.ssh, client_key=replace(kinds.ssh.client_key, not_on_or_after=world.now)),
        replace(kinds.ssh, client_key=KeyData(public_parameters=RSA)),
        replace(mail, key="mailto:other@example.net"),
        replace(mail, account_address=None),
        CatalogedApplicationNetwork(),
    ):
        with pytest.raises((VerificationError, EncodingError)):
            verify_cataloged_application(spoiled, now=world.now)


def test_a_device_gets_its_keys(world: Any, kinds: Any, mail: Any) -> None:
    found = verify(world, kinds.ssh_entry, kinds.ssh)
    assert isinstance(found, ActivationApplicationSsh)
    assert found.client_key is not None
    assert found.client_key.private_key().public.udf == kinds.ssh.key
    entry = entry_for(world, mail, mail_keys())
    assert isinstance(entry, ApplicationEntryMail)
    assert verify(world, entry, mail) == mail_keys()
    with pytest.raises(KeyUnavailableError):
        verify(world, kinds.ssh_entry, kinds.ssh, keyring=world.base_keyring)


def test_an_administrator_of_a_group_gets_its_keys(world: Any, kinds: Any) -> None:
    group = make_cataloged_group(
        kinds.group_seed,
        kinds.profile_group,
        recipient=world.key("Encrypt").public,
        entropy=world.entropy,
        now=world.now,
    )
    activation = ActivationApplicationGroup(
        account_encryption=KeyData.of_private(world.key("Encrypt", kinds.group_seed)),
        administrator_signature=KeyData.of_private(world.key("AdminSign", kinds.group_seed)),
    )
    assert verify(world, entry_for(world, group, activation), group) == activation
    foreign = replace(activation, account_encryption=KeyData.of_private(world.key("Encrypt")))
    with pytest.raises(VerificationError, match="is not the key of the application"):
        verify(world, entry_for(world, group, foreign), group)


def test_a_callsign_activates_nothing_yet(world: Any) -> None:
    callsign = CatalogedCallsign(key="alice", canonical="alice")
    entry = entry_for(world, callsign, ActivationApplicationCallsign())
    assert verify(world, entry, callsign) == ActivationApplicationCallsign()
    with pytest.raises(LocalProtocolError):
        entry_for(world, callsign, ActivationApplication())


def test_80_the_entry_is_for_the_application(world: Any, kinds: Any, mail: Any) -> None:
    for entry, application in (
        (replace(kinds.ssh_entry, identifier=None), kinds.ssh),
        (replace(kinds.ssh_entry, identifier="M"), kinds.ssh),
        (kinds.ssh_entry, mail),
    ):
        with pytest.raises(VerificationError, match="the entry is for application"):
            verify(world, entry, application)


def test_81_the_administrator_signs(world: Any, kinds: Any, sign: Any) -> None:
    activation = verify(world, kinds.ssh_entry, kinds.ssh)
    for signer in (world.key("Sign"), None):
        envelope = sign(activation, signer, recipients=[world.keys.encryption.public])
        entry = replace(kinds.ssh_entry, enveloped_activation=envelope)
        with pytest.raises(VerificationError, match="is not signed by"):
            verify(world, entry, kinds.ssh)
    assert verify(world, entry, kinds.ssh, allow_unsigned=True) == activation
    with pytest.raises(VerificationError, match="EnvelopedActivation is missing"):
        verify(world, replace(kinds.ssh_entry, enveloped_activation=None), kinds.ssh)


def test_82_the_activation_is_of_the_right_type(world: Any, kinds: Any, sign: Any) -> None:
    envelope = sign(mail_keys(), world.key("AdminSign"), recipients=[world.keys.encryption.public])
    entry = ApplicationEntrySsh(identifier=kinds.ssh.key, enveloped_activation=envelope)
    with pytest.raises(VerificationError, match="stands in the place of"):
        verify(world, entry, kinds.ssh)
    with pytest.raises(VerificationError, match="activates no application"):
        verify(world, kinds.ssh, kinds.ssh)


def test_83_the_keys_are_those_of_the_application(world: Any, kinds: Any) -> None:
    right = verify(world, kinds.ssh_entry, kinds.ssh)
    assert isinstance(right, ActivationApplicationSsh)
    assert right.client_key is not None
    for data in (
        KeyData.of_private(OTHER),
        replace(KeyData.of_private(OTHER), udf=right.client_key.udf),
        kinds.ssh.client_key,
        replace(right.client_key, not_on_or_after=world.now),
    ):
        entry = entry_for(world, kinds.ssh, ActivationApplicationSsh(client_key=data))
        with pytest.raises(VerificationError):
            verify(world, entry, kinds.ssh)
