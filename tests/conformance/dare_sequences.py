"""Vectors of sequences: files regenerated octet for octet, and published files read from both ends."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance import folders
from tests.conformance.report import COMMENTARY, Outcome, Runner, Vector, check, load

from mathmesh.codec import b64
from mathmesh.dare import merkle, protection, text_form
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.frame import RawFrame, read_frame, start_before
from mathmesh.dare.policy import ONCE, Policy
from mathmesh.dare.sequence import Frame
from mathmesh.dare.sequence_check import LINKED, UNLINKED, verify_sequence
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_state import State
from mathmesh.dare.sequence_writer import Writer, new_sequence
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import PrivateKey
from mathmesh.types import Entropy

Compared = Iterator[tuple[str, object, object]]

_PAYLOAD_OCTETS = 300
_LINEAR_PAYLOAD = re.compile(r"range\((\d+)\)")
_LINKED_TYPES = ("Chain", "Merkle")


def runners() -> Mapping[str, Runner]:
    """Runner of each file pattern."""
    return {
        "dare/sequences.json": _run_sequences,
        "dare/seq_*.dcon": _run_listed("sequences.json"),
        "dare/dcon_expected.json": _run_published,
        "dare/dcon/*": _run_listed("../dcon_expected.json"),
        "dare/own_*.dcon": _run_own_file,
    }


def open_octets(octets: bytes, keyring: MemoryKeyring | None = None) -> Reader:
    """A reader of the sequence in `octets`."""
    return Reader(lambda offset, count: octets[offset : offset + count], len(octets), keyring=keyring)


def no_entropy(count: int) -> bytes:
    """For writers that encrypt nothing."""
    raise AssertionError(f"{count} octets of entropy were asked for without encryption")


def _forwards(octets: bytes) -> list[RawFrame]:
    frames, position = [], 0
    while position < len(octets):
        frames.append(read_frame(lambda offset, count: octets[offset : offset + count], position))
        position = frames[-1].end
    return frames


def _backwards(octets: bytes) -> list[int]:
    positions, end = [], len(octets)
    while end:
        end = start_before(lambda offset, count: octets[offset : offset + count], end)
        positions.append(end)
    return positions[::-1]


# --- sequences.json and seq_* ---


def _run_sequences(path: Path) -> Iterator[Outcome]:
    vectors = load(path)
    payload = _payload(vectors.get("payload", ""))
    for case in map(Vector, vectors.get("sequences", [])):
        yield check(f"{path.name} {case['file']}", partial(_sequence, case, path, payload))
    if "previous_apex" in vectors:
        expected = vectors["previous_apex"]
        computed = [merkle.previous_apex(index) for index in range(len(expected))]
        yield check(f"{path.name} previous_apex", lambda: [("previous_apex", computed, expected)])
    for kind in set(vectors) - COMMENTARY - {"payload", "sequences", "previous_apex"}:
        yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")


def _payload(rule: str) -> bytes:
    """The body of every frame; the rule says how many octets that count from 0 it has."""
    told = _LINEAR_PAYLOAD.search(rule)
    return bytes(number & 255 for number in range(int(told.group(1)) if told else _PAYLOAD_OCTETS))


def _sequence(case: dict[str, Any], listing: Path, payload: bytes) -> Compared:
    octets = folders.companion(listing, case["file"]).read_bytes()
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    yield "size", len(octets), case["size"]
    reader = open_octets(octets)
    frames = list(reader.frames())
    yield "frames", len(frames), case["frames"]
    yield "positions", [frame.position for frame in frames], case["positions"]
    yield (
        "positions backwards",
        [frame.position for frame in reader.frames_reversed()][::-1],
        case["positions"],
    )
    yield "bodies", {frame.body for frame in frames[1:]}, {payload} if frames[1:] else set()
    for frame, expected in zip(frames, case["trailers"], strict=True):
        found = {name: b64.decode(value).hex() for name, value in frame.trailer.items()}
        yield f"trailer {frame.index}", found, expected
        yield f"digest {frame.index}", _digest_holds(frame), True
    yield "mode is known", case["mode"] in ("fix", "ref"), True
    report = verify_sequence(reader, accept_unlinked=case["mode"] == "ref")
    linkage = LINKED if case["mode"] == "fix" else UNLINKED
    yield "linkage", report.linkage, linkage if case["type"] in _LINKED_TYPES else "none"
    if case["mode"] == "fix" or case["type"] not in _LINKED_TYPES:
        yield "octets", regenerate(case["type"], [frame.body for frame in frames[1:]]), octets


def _digest_holds(frame: Frame) -> bool:
    claimed = frame.merged.get("PayloadDigest")
    return claimed is None or b64.decode(claimed) == hashlib.sha512(frame.body).digest()


def regenerate(kind: str, bodies: list[bytes]) -> bytes:
    """A sequence of `bodies` in clear, laid out as the reference does."""
    writer, staged = new_sequence(
        kind, Policy(), entropy=no_entropy, content_meta=ContentMeta(), text=text_form.reference_text
    )
    writer.commit(staged)
    return staged.octets + writer.stage([(body, ContentMeta()) for body in bodies]).octets


def _run_listed(listing: str) -> Callable[[Path], Iterator[Outcome]]:
    """For files that a JSON file describes: they must be in its list, where they are checked."""

    def case(path: Path) -> Compared:
        names = []
        for place in {path.parent / listing, folders.companion(path.parent / "x", listing)}:
            listed = load(place) if place.exists() else []
            cases = listed["sequences"] if isinstance(listed, dict) else listed
            names += [case["file"] for case in cases]
        yield "is described", path.name in names, True
        octets = path.read_bytes()
        yield "octets in frames", sum(raw.length for raw in _forwards(octets)), len(octets)

    def run(path: Path) -> Iterator[Outcome]:
        yield check(path.name, partial(case, path))

    return run


# --- published files ---


def _run_published(path: Path) -> Iterator[Outcome]:
    for case in load(path):
        yield check(f"{path.name} {case['file']}", partial(_published, Vector(case), path))


def _published(case: dict[str, Any], listing: Path) -> Compared:
    octets = folders.companion(listing.parent / "dcon" / "x", case["file"]).read_bytes()
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    expected = case["frames"]
    if not expected:
        yield "octets", octets, b""
        return
    positions = [frame["position"] for frame in expected]
    raw_frames = _forwards(octets)
    yield "positions", [raw.position for raw in raw_frames], positions
    yield "positions backwards", _backwards(octets), positions
    reader = open_octets(octets)
    for number, (raw, frame, wanted) in enumerate(zip(raw_frames, reader.frames(), expected, strict=True)):
        yield f"record_lengths {number}", [len(record) for record in raw.records], wanted["record_lengths"]
        yield f"header {number}", frame.header, wanted["header"]
        body = hashlib.sha512(frame.body).hexdigest() if len(raw.records) > 1 else None
        yield f"body_sha512 {number}", body, wanted["body_sha512"]
        trailer = frame.trailer if len(raw.records) > 2 else None
        yield f"trailer {number}", trailer, wanted["trailer"]
        yield f"index {number}", frame.index, number
        if number and frame.tree_position is not None:
            yield f"TreePosition {number}", frame.tree_position, positions[merkle.previous_apex(number)]
        yield f"digest {number}", _digest_holds(frame), True
    report = verify_sequence(reader, accept_unlinked=True)
    yield "count", report.count, len(expected)
    yield "number of the last", reader.last().index, len(expected) - 1


# --- our own sealed sequence ---


def own(vectors: dict[str, Any], name: str, path: Path) -> Compared:
    """The sequence `name` of own_vectors.json is read, verified, decrypted and, with policy Once, written
    anew.
    """
    case = Vector(vectors[name])
    octets = folders.companion(path, case["file"]).read_bytes()
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    yield "size", len(octets), case["size"]
    key = PrivateKey.from_seed("X448", bytes.fromhex(vectors["recipient_private_hex"]))
    reader = open_octets(octets, MemoryKeyring([key]))
    _, policy, container_type = f"{name}__".split("_")[:3]
    yield (
        "policy",
        (reader.policy.encryption or "").lower(),
        policy or (reader.policy.encryption or "").lower(),
    )
    yield "container type", reader.container_type.lower(), container_type or reader.container_type.lower()
    frames = list(reader.frames())
    for frame, wanted in zip(frames, map(Vector, case["frames"]), strict=True):
        yield from _own_frame(reader, frame, wanted)
    report = verify_sequence(reader)
    linkage = LINKED if reader.container_type in _LINKED_TYPES else "none"
    yield "report", (report.count, report.linkage, report.opened), (len(frames), linkage, len(frames))
    if reader.policy.encryption == ONCE:
        yield "base seed", reader.base_seed(frames[0]).hex(), vectors["base_seed_hex"]
        yield from _rewritten(vectors, case, reader, frames, path)


def _own_frame(reader: Reader, frame: Frame, wanted: dict[str, Any]) -> Compared:
    def told(member: str) -> str | None:
        value = protection.binary(frame.merged, member)
        return None if value is None else value.hex()

    yield "index", frame.index, wanted["index"]
    yield "position", frame.position, wanted["position"]
    yield "salt_hex", told("Salt"), wanted["salt_hex"]
    yield "plaintext", reader.plaintext(frame), wanted["plaintext"].encode()
    yield "body_hex", frame.body.hex(), wanted["body_hex"]
    yield "payload_digest_hex", told("PayloadDigest"), wanted["payload_digest_hex"]
    yield "tree_digest_hex", told("TreeDigest"), wanted["tree_digest_hex"]
    yield "chain_digest_hex", told("ChainDigest"), wanted["chain_digest_hex"]


def _rewritten(
    vectors: dict[str, Any], told: dict[str, Any], reader: Reader, frames: list[Frame], path: Path
) -> Compared:
    """All frames again from the seed, salts and plaintexts; the first where its ephemeral key is known."""
    octets = reader.read_at(0, reader.size)
    case = told["frames"]
    salts = b"".join(bytes.fromhex(frame["salt_hex"]) for frame in case)
    seed = bytes.fromhex(vectors["base_seed_hex"])
    policy = Policy(encryption=ONCE, encrypt_keys=reader.policy.encrypt_keys, sealed=True)
    ephemeral = _ephemeral_key(frames[0], path)
    if ephemeral:
        source = _drawing(seed, ephemeral, salts)
        writer = Writer(reader.container_type, policy, entropy=source, text=text_form.reference_text)
        writer.commit(writer.stage_first())
        yield "first frame", writer.state.end, frames[0].end
    else:
        first = open_octets(octets[: frames[0].end])
        state = State(count=1, end=first.size, tree=first.tree_state(), exchange_index=0)
        source = _drawing(seed, b"", salts[protection.SALT_OCTETS :])
        writer = Writer(
            reader.container_type,
            policy,
            entropy=source,
            state=state,
            seed=seed,
            text=text_form.reference_text,
        )
    rest = writer.stage([(frame["plaintext"].encode(), None) for frame in case[1:]])
    yield "octets", rest.octets, octets[frames[0].end :]


def _ephemeral_key(first: Frame, path: Path) -> bytes:
    """Private octets of the ephemeral key in the first frame, from the vectors of key exchange beside it."""
    listing = folders.companion(path, "encryption.json")
    public = b64.decode(first.header["recipients"][0]["epk"]["PublicKeyECDH"]["Public"]).hex()
    for case in load(listing).get("own_prototype_only", []) if listing.is_file() else []:
        if case["ephemeral_public_hex"] == public:
            return bytes.fromhex(case["ephemeral_private_hex"])
    return b""


def _drawing(seed: bytes, ephemeral: bytes, salts: bytes) -> Entropy:
    """Gives out the seed, the ephemeral key and the salts by the lengths in which they are drawn."""

    def entropy(count: int) -> bytes:
        if count == len(seed):
            return seed
        if count == len(ephemeral):
            return ephemeral
        filler = hashlib.shake_256(salts).digest(count)
        return (salts + filler)[:count]

    return entropy


def _run_own_file(path: Path) -> Iterator[Outcome]:
    """The file must be one that own_vectors.json describes, where it is checked."""

    def case() -> Compared:
        listing = folders.companion(path, "own_vectors.json")
        digests = {}
        for place in (*sorted(path.parent.glob("own_vectors*.json")), listing):
            vectors = load(place)
            for trial in vectors if isinstance(vectors, list) else [vectors]:
                told = [trial[name] for name in trial if name.startswith("sequence_")]
                digests |= {sequence["file"]: sequence["sha256"] for sequence in told}
        yield "is described", path.name in digests, True
        yield "sha256", hashlib.sha256(path.read_bytes()).hexdigest(), digests[path.name]

    yield check(path.name, case)
