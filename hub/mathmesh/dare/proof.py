"""Slices with proof: some consecutive frames of a sequence, for someone who has only the signer's key.

The proof is the part of the tree that leads from the slice to a signed checkpoint. Form (protocol book,
"Slices"): one line of compact JSON, then the frames, each with its header and body record only.

    {"SequenceSlice":{"First":…,"Last":…,"Tree":[…],"Steps":[…],"Witness":"…","Signature":"…"}}

Tree lists [n, TD, HD]: the tree digests (of payloads, of headers) of frames outside of the slice. Steps lists
[n, PD, HL]: payload digest and header digest of frames behind the slice, each of which takes in the tree
digests of the one before; the last is the frame that the Witness names. Rules for a reader:
 1. The line is exactly what compact JSON makes of its content; every tree digest in it is used.
 2. Frames bear the numbers First to Last. Their tree digests are computed, and those of the steps.
 3. The results at the last step are Apex and the last of HeaderPeaks in the Witness; the signature holds.
Any altered octet breaks one of these.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mathmesh.codec import b64
from mathmesh.dare import header_tree, merkle, protection, signature
from mathmesh.dare.frame import pack_frame, read_frame
from mathmesh.dare.sequence import MERKLE, Frame, parse_frame
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.witness import Witness
from mathmesh.errors import EncodingError, PolicyError, VerificationError
from mathmesh.keys.pair import PublicKey

TAG = "SequenceSlice"
MAXIMUM_LINE = 1 << 20

Pair = tuple[bytes, bytes]
"""A digest over payloads and one over headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A verified slice: frames without trailers, the witness that vouches for them and who signed it."""

    frames: tuple[Frame, ...]
    witness: Witness
    signer: str


def inputs(index: int) -> list[int]:
    """The frames whose tree digests that of frame `index` is made of, the one before it first.

    -1 stands for the missing digest of frame 0.
    """
    rank, step = index + 1, 1
    found = []
    while not rank & 1:
        found.append(index - step)
        step *= 2
        rank //= 2
    return [*found, merkle.previous_apex(index)]


def steps_between(last: int, top: int) -> list[int]:
    """Frames from behind `last` to `top`, each of which takes in the one before; fewest by the tree."""
    found = []
    current = top
    while current != last:
        found.append(current)
        current = min(number for number in inputs(current) if number >= last)
    return found[::-1]


def combined(index: int, value: bytes, tree: Mapping[int, bytes]) -> bytes:
    """Tree digest of frame `index` with the leaf `value`."""
    for number in inputs(index):
        left = merkle.MISSING if number < 0 else tree[number]
        value = hashlib.sha512(left + value).digest()
    return value


def make_slice(
    reader: Reader,
    first: int,
    last: int,
    checkpoint: Frame,
    witness: Witness,
    signer: PublicKey,
    erased: header_tree.Erased,
) -> bytes:
    """Frames `first` to `last` with their proof to `checkpoint`, the frame that holds `witness`.

    `erased` are the header digests of erased frames. Raises PolicyError when the checkpoint does not cover
    the frames or not their headers, VerificationError when the result would not verify.
    """
    if reader.container_type != MERKLE:
        raise PolicyError(f"a sequence of type {reader.container_type} has no tree; only Merkle gives proofs")
    if not 0 <= first <= last <= witness.index:
        raise PolicyError(f"the checkpoint covers frames 0 to {witness.index} only; append another")
    if not witness.header_peaks:
        raise PolicyError("the checkpoint does not cover headers; append one that does")
    steps = steps_between(last, witness.index)
    computed = {*range(first, last + 1), *steps}
    outside = {n for index in computed for n in inputs(index)} - computed - {-1}
    headers = _header_digests(reader, {*outside, *steps}, erased)
    members = {
        "First": first,
        "Last": last,
        "Tree": [
            [n, _text(reader.frame(n), "TreeDigest"), b64.encode(headers[n][1])] for n in sorted(outside)
        ],
        "Steps": [[n, _text(reader.frame(n), "PayloadDigest"), b64.encode(headers[n][0])] for n in steps],
        "Witness": b64.encode(checkpoint.body),
        "Signature": next(
            entry["signature"]
            for entry in signature.of(checkpoint.merged)
            if entry.get("kid") == witness.issuer
        ),
    }
    line = json.dumps({TAG: members}, separators=(",", ":")).encode() + b"\n"
    frames = [reader.frame(n) for n in range(first, last + 1)]
    octets = line + b"".join(pack_frame([frame.header_octets, frame.body]) for frame in frames)
    open_slice(octets, signer)
    return octets


def _header_digests(reader: Reader, wanted: set[int], erased: header_tree.Erased) -> dict[int, Pair]:
    """Leaf and tree digest over headers of the frames `wanted`, for which all headers are read."""
    found: dict[int, Pair] = {}
    for number, value, digest in header_tree.digests(reader, erased):
        if number in wanted:
            found[number] = value, digest
        if len(found) == len(wanted):
            break
    return found


def _text(frame: Frame, name: str) -> str:
    value = protection.binary(frame.merged, name)
    if value is None:
        raise VerificationError(f"frame {frame.index} has no {name}")
    return b64.encode(value)


def issuer(octets: bytes) -> str:
    """The identifier of the key that a slice says it was signed with, for looking the key up.

    Raises EncodingError when it is malformed.
    """
    _, members = _line(octets)
    body = members["Witness"]
    return Witness.decode(b64.decode(body) if isinstance(body, str) else b"").issuer


def open_slice(octets: bytes, signer: PublicKey) -> Slice:
    """The frames of a slice, verified as the rules above say.

    Raises EncodingError when it is malformed, VerificationError when it is not what `signer` vouched for.
    """
    line, members = _line(octets)
    tree = {-1: (merkle.MISSING, merkle.MISSING)} | {n: (a, b) for n, a, b in _rows(members, "Tree")}
    steps = _rows(members, "Steps")
    first, last = members.get("First"), members.get("Last")
    if type(first) is not int or type(last) is not int or not 0 <= first <= last:
        raise EncodingError("slice names no frames")
    frames = _frames(octets, len(line), first)
    if len(frames) != last - first + 1:
        raise VerificationError("slice holds another number of frames than it says")
    given, used = set(tree), {-1}
    if given & set(range(first, last + 1)) or given & {number for number, _, _ in steps}:
        raise VerificationError("slice gives digests that are to be computed")
    leaves = [
        (frame.index, protection.payload_digest(frame.body), header_tree.header_digest(frame.header_octets))
        for frame in frames
    ]
    before = first - 1
    for index, payload, header in (*leaves, *steps):
        needed = inputs(index)
        if index <= before or not set(needed) <= set(tree) or (index > first and before not in needed):
            raise VerificationError("proof of the slice does not lead to the checkpoint")
        used.update(needed)
        tree[index] = _combined_pair(index, (payload, header), tree)
        before = index
    if given - used:
        raise VerificationError("slice gives digests that nothing follows from")
    witness, signer_kid = _witness(members, signer)
    if before != witness.index or tree[before] != (witness.apex, witness.header_apex):
        raise VerificationError("slice is not part of what the signer vouched for")
    return Slice(frames=frames, witness=witness, signer=signer_kid)


def _combined_pair(index: int, leaf: Pair, tree: Mapping[int, Pair]) -> Pair:
    payload = combined(index, leaf[0], {n: pair[0] for n, pair in tree.items() if n in inputs(index)})
    header = combined(index, leaf[1], {n: pair[1] for n, pair in tree.items() if n in inputs(index)})
    return payload, header


def _line(octets: bytes) -> tuple[bytes, dict[str, Any]]:
    end = octets.find(b"\n", 0, MAXIMUM_LINE) + 1
    try:
        value = json.loads(octets[:end])
        canonical = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    except (ValueError, RecursionError):
        raise EncodingError("octets are no slice of a sequence") from None
    members = value.get(TAG) if isinstance(value, dict) and len(value) == 1 else None
    names = ["First", "Last", "Tree", "Steps", "Witness", "Signature"]
    if not isinstance(members, dict) or list(members) != names or canonical != octets[:end]:
        raise EncodingError("octets are no slice of a sequence")
    return octets[:end], members


def _rows(members: Mapping[str, Any], name: str) -> list[tuple[int, bytes, bytes]]:
    rows = members[name]
    if not isinstance(rows, list):
        raise EncodingError(f"{name} of a slice is not a list")
    found = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 3 or type(row[0]) is not int or row[0] < 0:
            raise EncodingError(f"{name} of a slice holds something else than digests")
        found.append((row[0], _digest(row[1]), _digest(row[2])))
    numbers = [row[0] for row in found]
    if numbers != sorted(set(numbers)):
        raise EncodingError(f"{name} of a slice is not in order")
    return found


def _digest(text: object) -> bytes:
    octets = b64.decode(text) if isinstance(text, str) else b""
    if len(octets) != protection.DIGEST_OCTETS or b64.encode(octets) != text:
        raise EncodingError("slice holds a malformed digest")
    return octets


def _frames(octets: bytes, position: int, first: int) -> tuple[Frame, ...]:
    found: list[Frame] = []
    while position < len(octets):
        raw = read_frame(lambda offset, count: octets[offset : offset + count], position)
        if len(raw.records) != 2 or pack_frame(raw.records) != octets[position : raw.end]:
            raise EncodingError("slice holds a frame in another form")
        found.append(parse_frame(raw, first + len(found)))
        position = raw.end
    return tuple(found)


def _witness(members: Mapping[str, Any], signer: PublicKey) -> tuple[Witness, str]:
    texts: Sequence[object] = members["Witness"], members["Signature"]
    body, made = (b64.decode(text) if isinstance(text, str) else b"" for text in texts)
    if [b64.encode(body), b64.encode(made)] != list(texts):
        raise EncodingError("slice holds a malformed witness")
    signature.verify(signer, made, protection.payload_digest(body))
    witness = Witness.decode(body)
    if witness.issuer != signer.udf:
        raise VerificationError("witness names another issuer than its signer")
    return witness, signer.udf
