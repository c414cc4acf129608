"""`meshman dare verify`: envelopes, sequences and slices with proof."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mathmesh.codec import b64
from mathmesh.dare import proof
from mathmesh.dare.sequence_check import SequenceReport
from mathmesh.dare.suites import INTEROPERABLE, OWN, S512
from mathmesh.errors import VerificationError
from meshclient.envelope_file import verify_file
from meshclient.meshman.dare_files import EXTENDED, SOURCE, STANDARD_INPUT, TAG, report
from meshclient.meshman.dare_keys import Keys, key_flags
from meshclient.meshman.dare_progress import progress
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.store_files import SequenceFile

_SEQUENCE_CODES = range(0xF4, 0xF8)
_SLICE = b'{"SequenceSlice"'


@click.command("verify", cls=MeshCommand, example="dare verify file.dare /signer=alice.pub")
@SOURCE
@EXTENDED
@key_flags(verifies=True)
def verify(source: Path, extended: bool, keys: Keys) -> Answer:
    """Verify an envelope, a sequence or a slice with proof, without writing anything.

    With /signer, what that key has not vouched for is refused. Without keys, encrypted content is verified as
    it is.
    """
    first = b"" if source == STANDARD_INPUT else _first_octets(source)
    if first and first[0] in _SEQUENCE_CODES:
        return _verify_sequence(source, keys)
    if first.startswith(_SLICE):
        return _verify_slice(source, keys)
    return _verify_envelope(source, extended, keys)


def _verify_envelope(source: Path, extended: bool, keys: Keys) -> Answer:
    with progress(source) as told:
        opened = verify_file(
            sys.stdin.buffer if source == STANDARD_INPUT else source,
            keyring=keys.keyring if keys.secrets or keys.privates or keys.hybrids else None,
            signers=keys.believed(),
            require_signature=bool(keys.trusted),
            suites=OWN if extended else INTEROPERABLE,
            progress=told,
        )
    enc = opened.header.get("enc")
    recipients = [str(entry.get("kid")) for entry in opened.header.get("recipients") or ()]
    lines = [f"File: {source}", f"    Bytes: {opened.body_octets}"]
    if opened.encrypted:
        lines += [f"    Encryption Algorithm: {enc}", *(f"        Recipient: {kid}" for kid in recipients)]
    dig = opened.header.get("dig", S512)
    lines += [f"    Digest Algorithm: {dig}", f"    Payload Digest: {opened.digest.hex().upper()}"]
    lines += [f"        Signer: {kid}" for kid in opened.signed_by]
    lines += [f"        Signer: {kid} (key not known here: unverified)" for kid in opened.unverified]
    members = {"Filename": str(source), "TotalBytes": opened.body_octets, "EncryptionAlgorithm": enc}
    if recipients:
        members["Recipients"] = recipients
    return Answer(lines=lines, tag=TAG, members=members | {"DigestAlgorithm": dig} | report(opened))


def _first_octets(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(32).lstrip()


def _verify_sequence(source: Path, keys: Keys) -> Answer:
    with SequenceFile.open(source) as file:
        file.reader.keyring = keys.keyring_or_none(file.frame(0).header)
        found = file.verify(accept_unlinked=not keys.trusted, signers=keys.believed())
        recovered, kind = file.recovered_octets, file.container_type
    if keys.trusted and not found.attested:
        raise VerificationError(f"{source} holds no checkpoint of that signer; nothing vouches for it")
    notes = [f"Frame {index} was erased and nothing tells by whom." for index in found.unexplained]
    if recovered:
        notes.append(f"The last write was torn; {recovered} octets behind the last whole frame are no frame.")
    members: dict[str, Any] = {
        "Filename": str(source),
        "Verified": True,
        "Type": kind,
        "Frames": found.count,
        "Linkage": found.linkage,
        "Opened": found.opened,
        "Attested": found.attested,
        "AttestedBy": found.attested_by,
        "HeadersAttested": found.headers_attested,
        "Apex": b64.encode(found.apex) if found.apex else None,
        "Erased": list(found.erased) or None,
    }
    lines = _sequence_lines(source, kind, found)
    return Answer(lines=lines, tag="ResultSequence", members=members, notes=notes)


def _sequence_lines(source: Path, kind: str, found: SequenceReport) -> list[str]:
    lines = [
        f"File: {source}",
        f"    Type: {kind}",
        f"    Frames: {found.count}",
        f"    Links: {found.linkage}",
    ]
    if found.sealed:
        lines.append(f"    Encrypted: {found.sealed}, opened: {found.opened}")
    if found.attested:
        what = "frames with their headers" if found.headers_attested else "contents of frames"
        lines.append(f"    Vouched for: {what}, 0 to {found.attested - 1}, by {found.attested_by}")
    return [*lines, *(f"    Erased: frame {index}" for index in found.erased)]


def _verify_slice(source: Path, keys: Keys) -> Answer:
    octets = source.read_bytes()
    issuer = proof.issuer(octets)
    key = next((key for key in keys.believed() if key.udf == issuer), None)
    if key is None:
        raise VerificationError(
            f"{source} is signed by {issuer}; name a file with that public key by /signer"
        )
    opened = proof.open_slice(octets, key)
    first, last = opened.frames[0].index, opened.frames[-1].index
    names = [frame.content_meta.filename or str(frame.index) for frame in opened.frames]
    lines = [f"File: {source}", f"    Frames: {first} to {last}", f"        Signer: {opened.signer}"]
    members: dict[str, Any] = {"Filename": str(source), "Verified": True, "First": first, "Last": last}
    members |= {"SignedBy": [opened.signer], "Files": names}
    lines += [f"        File: {name}" for name in names]
    return Answer(lines=lines, tag="ResultSlice", members=members)
