"""Vectors of sequences: files regenerated octet for octet, and published files read from both ends."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tests.conformance.report import Outcome, Runner, check, load

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

_PAYLOAD = bytes(number & 255 for number in range(300))
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
    for case in vectors["sequences"]:
        yield check(f"{path.name} {case['file']}", partial(_sequence, case, path.parent))
    expected = vectors["previous_apex"]
    computed = [merkle.previous_apex(index) for index in range(len(expected))]
    yield check(f"{path.name} previous_apex", lambda: [("previous_apex", computed, expected)])
    for kind in set(vectors) - {"note", "payload", "sequences", "previous_apex"}:
        yield Outcome(f"{path.name} {kind}", "failed", "unknown kind")


def _sequence(case: dict[str, Any], folder: Path) -> Compared:
    octets = (folder / case["file"]).read_bytes()
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
    yield "bodies", {frame.body for frame in frames[1:]}, {_PAYLOAD}
    for frame, expected in zip(frames, case["trailers"], strict=True):
        found = {name: b64.decode(value).hex() for name, value in frame.trailer.items()}
        yield f"trailer {frame.index}", found, expected
        yield f"digest {frame.index}", _digest_holds(frame), True
    yield "mode is known", case["mode"] in ("fix", "ref"), True
    report = verify_sequence(reader, accept_unlinked=case["mode"] == "ref")
    linkage = LINKED if case["mode"] == "fix" else UNLINKED
    yield "linkage", report.linkage, linkage if case["type"] in _LINKED_TYPES else "none"
    if case["mode"] == "fix" or case["type"] not in _LINKED_TYPES:
        yield "octets", _regenerate(case["type"], [frame.body for frame in frames[1:]]), octets


def _digest_holds(frame: Frame) -> bool:
    claimed = frame.merged.get("PayloadDigest")
    return claimed is None or b64.decode(claimed) == hashlib.sha512(frame.body).digest()


def _regenerate(kind: str, bodies: list[bytes]) -> bytes:
    writer, staged = new_sequence(
        kind, Policy(), entropy=no_entropy, content_meta=ContentMeta(), text=text_form.reference_text
    )
    writer.commit(staged)
    return staged.octets + writer.stage([(body, ContentMeta()) for body in bodies]).octets


def _run_listed(listing: str) -> Callable[[Path], Iterator[Outcome]]:
    """For files that a JSON file describes: they must be in its list, where they are checked."""

    def run(path: Path) -> Iterator[Outcome]:
        listed = load(path.parent / listing)
        cases = listed["sequences"] if isinstance(listed, dict) else listed
        names = [case["file"] for case in cases]
        rows = [
            ("is described", path.name in names, True),
            ("is whole", bool(_forwards(path.read_bytes())), True),
        ]
        yield check(path.name, lambda: rows)

    return run


# --- published files ---


def _run_published(path: Path) -> Iterator[Outcome]:
    for case in load(path):
        yield check(f"{path.name} {case['file']}", partial(_published, case, path.parent / "dcon"))


def _published(case: dict[str, Any], folder: Path) -> Compared:
    octets = (folder / case["file"]).read_bytes()
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    expected = case["frames"]
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


def once(vectors: dict[str, Any], folder: Path) -> Compared:
    """The sequence of own_vectors.json is read, verified, decrypted and written anew."""
    case = vectors["sequence_once_merkle"]
    octets = (folder / case["file"]).read_bytes()
    yield "sha256", hashlib.sha256(octets).hexdigest(), case["sha256"]
    yield "size", len(octets), case["size"]
    key = PrivateKey.from_seed("X448", bytes.fromhex(vectors["recipient_private_hex"]))
    reader = open_octets(octets, MemoryKeyring([key]))
    frames = list(reader.frames())
    for frame, wanted in zip(frames, case["frames"], strict=True):
        yield "index", frame.index, wanted["index"]
        yield "position", frame.position, wanted["position"]
        yield "salt_hex", b64.decode(frame.header["Salt"]).hex(), wanted["salt_hex"]
        yield "plaintext", reader.plaintext(frame), wanted["plaintext"].encode()
        yield "body_hex", frame.body.hex(), wanted["body_hex"]
        yield (
            "payload_digest_hex",
            b64.decode(frame.trailer["PayloadDigest"]).hex(),
            wanted["payload_digest_hex"],
        )
        yield "tree_digest_hex", b64.decode(frame.trailer["TreeDigest"]).hex(), wanted["tree_digest_hex"]
    report = verify_sequence(reader)
    yield "report", (report.count, report.linkage, report.opened), (len(frames), LINKED, len(frames))
    yield "base seed", reader.base_seed(frames[0]).hex(), vectors["base_seed_hex"]
    yield from _rewritten(vectors, reader, frames, folder)


def _rewritten(vectors: dict[str, Any], reader: Reader, frames: list[Frame], folder: Path) -> Compared:
    """All frames again from the seed, salts and plaintexts; the first where its ephemeral key is known."""
    octets = reader.read_at(0, reader.size)
    case = vectors["sequence_once_merkle"]["frames"]
    salts = b"".join(bytes.fromhex(frame["salt_hex"]) for frame in case)
    seed = bytes.fromhex(vectors["base_seed_hex"])
    policy = Policy(encryption=ONCE, encrypt_keys=reader.policy.encrypt_keys, sealed=True)
    ephemeral = _ephemeral_key(frames[0], folder)
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


def _ephemeral_key(first: Frame, folder: Path) -> bytes:
    """Private octets of the ephemeral key in the first frame, from the vectors of key exchange beside it."""
    listing = folder / "encryption.json"
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
    """The file must be the one that own_vectors.json describes, where it is checked."""
    described = load(path.parent / "own_vectors.json")["sequence_once_merkle"]
    rows = [
        ("file", path.name, described["file"]),
        ("sha256", hashlib.sha256(path.read_bytes()).hexdigest(), described["sha256"]),
    ]
    yield check(path.name, lambda: rows)
