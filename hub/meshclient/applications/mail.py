"""The keys of a mail account: made, and taken from an application in the forms of OpenPGP and S/MIME.

NotBefore of the OpenPGP keys is the time in their fingerprints. The keys of S/MIME have no times of their
own, since mail of former years is to stay readable; their certificates have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys.pair import generate
from mathmesh.schema.activation import ActivationApplicationMail
from mathmesh.schema.application import CatalogedApplicationMail
from mathmesh.schema.build.application import make_cataloged_mail
from mathmesh.schema.key_data import KeyData
from mathmesh.types import Entropy
from meshclient.applications import granting, openpgp, smime
from meshclient.applications.openpgp import OpenPgpKey
from meshclient.session import Session

OPENPGP, SMIME = "openpgp", "smime"
KINDS = (OPENPGP, SMIME)
EARLIER = timedelta(minutes=5)
"""Keys count from so long ago, so that machines whose clocks are late take them at once."""


def make_keys(
    address: str, kinds: Sequence[str], *, entropy: Entropy, now: datetime, bits: int = smime.KEY_BITS
) -> ActivationApplicationMail:
    """Fresh keys of the `kinds` OPENPGP and SMIME for the mail account at `address`."""
    begin = (now - EARLIER).replace(microsecond=0)
    made: dict[str, Any] = {}
    if OPENPGP in kinds:
        for name, curve in (("sign", openpgp.SIGN_CURVE), ("encrypt", openpgp.ENCRYPT_CURVE)):
            data = KeyData.of_private(generate(curve, entropy))
            made[f"openpgp_{name}"] = replace(data, not_before=begin)
    if SMIME in kinds:
        for use in (smime.SIGN, smime.ENCRYPT):
            made[f"smime_{use}"] = _timeless(smime.make_key(address, use, begin, bits=bits))
    return ActivationApplicationMail(**made)


def make_entry(
    session: Session,
    address: str,
    keys: ActivationApplicationMail,
    *,
    grant: Sequence[str],
    inbound: str | None = None,
    outbound: str | None = None,
    local_name: str | None = None,
) -> CatalogedApplicationMail:
    """The entry of a mail account; `local_name` is the person's name in the OpenPGP key."""
    entry = make_cataloged_mail(
        address,
        keys,
        escrow=granting.escrow_key(session),
        entropy=session.context.entropy,
        now=session.now,
        inbound=inbound,
        outbound=outbound,
        grant=grant,
    )
    return replace(entry, local_name=local_name)


def with_certificates(
    session: Session, entry: CatalogedApplicationMail, pem: bytes
) -> tuple[CatalogedApplicationMail, ActivationApplicationMail, str]:
    """The entry and keys with the certificates in `pem`, and for which use they are.

    Raises VerificationError when they are for none of the keys, EncodingError when they are no certificates.
    """
    keys = own_keys(session, entry)
    address = entry.account_address or ""
    for use in (smime.SIGN, smime.ENCRYPT):
        data = getattr(keys, f"smime_{use}")
        if not isinstance(data, KeyData):
            continue
        try:
            certified = _timeless(smime.with_certificate(data, address, pem))
        except VerificationError as refused:
            if "another key" in str(refused):
                continue
            raise
        members: dict[str, Any] = {f"smime_{use}": certified}
        changed = replace(keys, **members)
        made = make_entry(
            session,
            address,
            changed,
            grant=entry.grant or (),
            inbound=entry.inbound_connect,
            outbound=entry.outbound_connect,
            local_name=entry.local_name,
        )
        return replace(made, deny=entry.deny), changed, use
    raise VerificationError(f"the certificate is for none of the S/MIME keys of {address}")


def own_keys(session: Session, entry: CatalogedApplicationMail) -> ActivationApplicationMail:
    """The private keys; raises KeyUnavailableError where this device is not granted them."""
    keys = granting.own_activation(session, entry)
    assert isinstance(keys, ActivationApplicationMail)  # verified with the entry
    return keys


def openpgp_key(
    entry: CatalogedApplicationMail, keys: ActivationApplicationMail, *, encrypt: bool
) -> OpenPgpKey:
    """The OpenPGP key, with its subkey if `encrypt`; raises PolicyError where there is none."""
    if keys.openpgp_sign is None or keys.openpgp_sign.not_before is None:
        raise PolicyError(f"there are no OpenPGP keys of {entry.account_address}")
    subkey = keys.openpgp_encrypt
    return OpenPgpKey(
        sign=keys.openpgp_sign.private_key(openpgp.SIGN_CURVE),
        encrypt=subkey.private_key(openpgp.ENCRYPT_CURVE) if encrypt and subkey is not None else None,
        user_ids=(user_id(entry),),
        created=keys.openpgp_sign.not_before,
    )


def user_id(entry: CatalogedApplicationMail) -> str:
    """The name in the OpenPGP key."""
    address = entry.account_address or ""
    if entry.local_name and set(entry.local_name) & set("<>"):
        raise EncodingError("a person's name holds no angle brackets")
    return f"{entry.local_name} <{address}>" if entry.local_name else f"<{address}>"


def smime_key(
    entry: CatalogedApplicationMail, keys: CatalogedApplicationMail | ActivationApplicationMail, use: str
) -> KeyData:
    """The S/MIME key for smime.SIGN or smime.ENCRYPT: of the entry the public, of an activation the private.

    Raises PolicyError where there is none.
    """
    data = getattr(keys, f"smime_{use}")
    if not isinstance(data, KeyData):
        raise PolicyError(f"there are no S/MIME keys of {entry.account_address}")
    return data


def openpgp_fingerprint(entry: CatalogedApplicationMail) -> str | None:
    """The fingerprint of the OpenPGP key, where there is one."""
    data = entry.openpgp_sign
    if data is None or data.not_before is None:
        return None
    return openpgp.fingerprint(data.public_key(), data.not_before)


def _timeless(data: KeyData) -> KeyData:
    return replace(data, not_before=None, not_on_or_after=None)
