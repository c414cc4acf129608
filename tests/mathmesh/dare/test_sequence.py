"""Sequences in memory: every type and policy, all alterations seen, nothing earlier changed by an append."""

import itertools
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64
from mathmesh.dare import recovery, text_form
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.dare.frame import pack_frame, read_frame
from mathmesh.dare.policy import ISOLATED, NO_ENCRYPTION, ONCE, SESSION, Policy, policy_for
from mathmesh.dare.sequence import CONTAINER_TYPES, MERKLE
from mathmesh.dare.sequence_check import LINKED, verify_sequence
from mathmesh.dare.sequence_reader import Reader
from mathmesh.dare.sequence_writer import Item, Writer, continue_sequence, new_sequence
from mathmesh.errors import (
    EncodingError,
    KeyUnavailableError,
    MeshError,
    PolicyError,
    StoreError,
    VerificationError,
)
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

ENTROPY = random.Random("sequences").randbytes
KEY = generate("X448", ENTROPY)
KEYRING = MemoryKeyring([KEY])
MOMENT = datetime(2022, 5, 3, 16, 47, 9, tzinfo=UTC)
ENCRYPTIONS = (ONCE, SESSION, ISOLATED, NO_ENCRYPTION)


def reader_of(octets: bytes, keyring: MemoryKeyring | None = KEYRING) -> Reader:
    return Reader(lambda offset, count: octets[offset : offset + count], len(octets), keyring=keyring)


def policy(encryption: str) -> Policy:
    return policy_for((KEY.public,), encryption) if encryption != NO_ENCRYPTION else Policy()


def begin(kind: str = MERKLE, encryption: str = SESSION) -> tuple[Writer, bytes]:
    writer, staged = new_sequence(
        kind, policy(encryption), entropy=ENTROPY, content_meta=ContentMeta(cty="application/x")
    )
    writer.commit(staged)
    return writer, staged.octets


def append(writer: Writer, *items: Item) -> bytes:
    staged = writer.stage(items)
    writer.commit(staged)
    return staged.octets


def sequence(kind: str = MERKLE, encryption: str = SESSION, frames: int = 5) -> bytes:
    writer, octets = begin(kind, encryption)
    for number in range(1, frames):
        octets += append(writer, (b"reading %d" % number, ContentMeta(unique_id=str(number))))
    return octets


@pytest.mark.parametrize("encryption", ENCRYPTIONS)
@pytest.mark.parametrize("kind", CONTAINER_TYPES)
def test_write_continue_and_read(kind: str, encryption: str) -> None:
    writer, octets = begin(kind, encryption)
    octets += append(writer, (b"one", None), (b"two", ContentMeta(unique_id="2")))
    again = continue_sequence(reader_of(octets), entropy=ENTROPY)
    octets += append(again, *[(b"more %d" % number, None) for number in range(10)])
    reader = reader_of(octets)
    report = verify_sequence(reader)
    assert report.count == reader.count == 13
    assert report.opened == report.sealed == (0 if encryption == NO_ENCRYPTION else 13)
    assert report.linkage == (LINKED if kind in ("Chain", "Merkle") else "none")
    assert [reader.plaintext(frame) for frame in reader.frames(1)][:3] == [b"one", b"two", b"more 0"]
    forwards = [frame.position for frame in reader.frames()]
    assert [frame.position for frame in reader.frames_reversed()][::-1] == forwards
    assert reader.frame(2).content_meta.unique_id == "2"
    assert (report.apex == again.apex == reader.apex) or kind != MERKLE
    if encryption != NO_ENCRYPTION:
        assert b"more" not in octets
        with pytest.raises(KeyUnavailableError):
            reader_of(octets, None).plaintext(reader.frame(3))
        assert verify_sequence(reader_of(octets, None)).opened == 0


@pytest.mark.parametrize(
    ("encryption", "exchanges"),
    [(ONCE, [0, 0, 0, 0, 0]), (SESSION, [0, 0, 0, 3, 3]), (ISOLATED, [0, 1, 2, 3, 4])],
)
def test_where_the_recipients_are(encryption: str, exchanges: list[int]) -> None:
    writer, octets = begin(encryption=encryption)
    octets += append(writer, (b"1", None), (b"2", None))
    octets += append(continue_sequence(reader_of(octets), entropy=ENTROPY), (b"3", None), (b"4", None))
    frames = list(reader_of(octets).frames())
    assert [frame.exchange_index for frame in frames] == exchanges
    holders = [frame.index for frame in frames if "recipients" in frame.header]
    assert holders == sorted(set(exchanges))


def test_no_seed_and_salt_twice() -> None:
    """Over two sessions, dropped stages and many frames."""
    writer, octets = begin()
    dropped = b""
    for _ in range(3):
        for number in range(50):
            octets += append(writer, (b"%d" % number, None))
            dropped += writer.stage([(b"dropped", None)]).octets
        writer = continue_sequence(reader_of(octets), entropy=ENTROPY)
    reader = reader_of(octets)
    used = [(reader.base_seed(frame), frame.header["Salt"]) for frame in reader.frames()]
    dropped_salts = {text_form.parse_object(header)["Salt"] for header in _headers(dropped)}
    assert len(set(used)) == len(used) == 151
    assert len({seed for seed, _ in used}) == 3
    assert not dropped_salts & {salt for _, salt in used}
    assert len(dropped_salts) == 150


def _headers(octets: bytes) -> list[bytes]:
    found, position = [], 0
    while position < len(octets):
        raw = read_frame(lambda offset, count: octets[offset : offset + count], position)
        found.append(raw.records[0])
        position = raw.end
    return found


def test_a_source_that_repeats_is_refused() -> None:
    with pytest.raises(PolicyError, match="repeats"):
        new_sequence(MERKLE, policy(SESSION), entropy=lambda count: b"\x07" * count)


def test_short_way_of_headers_is_the_long_one() -> None:
    """The same seed, salts and ephemeral keys, once by template and once through the codec."""
    pair = []
    for text in (None, text_form.jsonbcd.dumps):
        entropy = random.Random("twice").randbytes
        writer, staged = new_sequence(MERKLE, policy(SESSION), entropy=entropy, text=text)
        writer.commit(staged)
        rest = writer.stage([(b"1", None), (b"2", ContentMeta(unique_id="é"))])
        pair.append(staged.octets + rest.octets)
    assert pair[0] == pair[1]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=12), st.sampled_from(CONTAINER_TYPES))
@settings(max_examples=20, deadline=None)
def test_appends_never_change_earlier_frames(bodies: list[bytes], kind: str) -> None:
    writer, octets = begin(kind, NO_ENCRYPTION)
    apexes = []
    for number, body in enumerate(bodies):
        before = octets
        octets += append(writer, (body, None))
        assert octets.startswith(before)
        assert writer.state.end == len(octets)
        apexes.append(writer.apex)
        frames = list(reader_of(octets).frames(1))
        assert [frame.body for frame in frames] == bodies[: number + 1]
    if kind == MERKLE:
        assert len(set(apexes)) == len(apexes)


@pytest.mark.parametrize("kind", CONTAINER_TYPES)
@pytest.mark.parametrize("encryption", [SESSION, NO_ENCRYPTION])
def test_every_truncation_gives_a_prefix_or_an_error(kind: str, encryption: str) -> None:
    octets = sequence(kind, encryption)
    ends = [frame.end for frame in reader_of(octets).frames()]
    opened = set()
    for size in range(len(octets) + 1):

        def read_at(offset: int, count: int, size: int = size) -> bytes:
            return octets[: max(size, 0)][offset : offset + count]

        if recovery.ends_whole(read_at, size):
            end = size
        else:
            try:
                end = recovery.whole_end(read_at, size)
            except StoreError:
                assert size < ends[0]
                continue
        assert end == max(known for known in ends if known <= size)
        opened.add(end)
    assert opened == set(ends)


def test_every_bit_flip_is_seen() -> None:
    quick = generate("X25519", ENTROPY)
    keyring = MemoryKeyring([quick])
    writer, staged = new_sequence(MERKLE, policy_for((quick.public,), SESSION), entropy=ENTROPY)
    writer.commit(staged)
    octets = staged.octets + append(writer, (b"1", ContentMeta(unique_id="a")), (b"2", None))
    assert verify_sequence(reader_of(octets, keyring)).opened == 3
    unseen = []
    for position, bit in itertools.product(range(len(octets)), range(8)):
        altered = octets[:position] + bytes([octets[position] ^ 1 << bit]) + octets[position + 1 :]
        try:
            verify_sequence(reader_of(altered, keyring))
        except MeshError:
            continue
        unseen.append((position, bit, octets[position - 30 : position + 30]))
    assert unseen == []


@pytest.mark.parametrize("kind", ["Digest", "Chain", "Merkle"])
def test_bodies_and_digests_of_open_sequences_are_covered(kind: str) -> None:
    octets = sequence(kind, NO_ENCRYPTION)
    for frame in reader_of(octets).frames(1):
        body = octets.index(frame.body, frame.position)
        for position in (body, frame.end - 20):
            altered = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
            with pytest.raises(MeshError):
                verify_sequence(reader_of(altered))


def test_frames_dropped_doubled_or_swapped_are_seen() -> None:
    octets = sequence(frames=6)
    pieces = [octets[frame.position : frame.end] for frame in reader_of(octets).frames()]
    for order in ([0, 1, 3, 4, 5], [0, 1, 2, 2, 3], [0, 2, 1, 3, 4, 5], [1, 2, 3]):
        with pytest.raises(MeshError):
            verify_sequence(reader_of(b"".join([pieces[number] for number in order])))
    assert verify_sequence(reader_of(b"".join(pieces[:4]))).count == 4


def test_a_frame_of_another_sequence_does_not_fit() -> None:
    first, second = sequence(frames=3), sequence(frames=3)
    foreign = list(reader_of(second).frames())[2]
    with pytest.raises(MeshError):
        verify_sequence(reader_of(first[: -foreign.length] + second[foreign.position :]))


def test_header_of_a_sealed_frame_is_authenticated() -> None:
    """Someone without a key can make digests fit, but not the MAC."""
    octets = sequence(frames=3)
    last = list(reader_of(octets).frames())[2]
    forged = last.header_octets.replace(b64.encode(b'{"UniqueId":"2"}').encode(), b"e30")
    assert forged != last.header_octets
    records = [forged, last.body, text_form.jsonbcd.dumps(last.trailer)]
    altered = octets[: last.position] + pack_frame(records)
    with pytest.raises(VerificationError, match="header of frame 2 was altered"):
        verify_sequence(reader_of(altered))
    stripped = {name: value for name, value in last.trailer.items() if name != "FrameMac"}
    records = [last.header_octets, last.body, text_form.jsonbcd.dumps(stripped)]
    with pytest.raises(VerificationError, match="header of frame 2 was altered"):
        verify_sequence(reader_of(octets[: last.position] + pack_frame(records)))
    reader = reader_of(altered)
    with pytest.raises(VerificationError):
        reader.plaintext(reader.frame(2))


def test_envelopes_keep_their_members_and_open_again() -> None:
    signer = generate("Ed448", ENTROPY)
    meta = ContentMeta(unique_id="entry", event="New")
    envelope = seal(b"entry", entropy=ENTROPY, recipients=[KEY.public], signer=signer, content_meta=meta)
    envelope = type(envelope)(envelope.header | {"x-unknown": {"a": 1}}, envelope.body, envelope.trailer)
    writer, octets = begin(MERKLE, NO_ENCRYPTION)
    staged = writer.stage_envelope(envelope, MOMENT)
    writer.commit(staged)
    octets += staged.octets + append(writer, (b"after", None))
    reader = reader_of(octets)
    frame = reader.frame(1)
    assert list(frame.header)[:4] == ["signatures", "PayloadDigest", "TreeDigest", "enc"]
    assert list(frame.header)[-2:] == ["SequenceInfo", "Received"]
    assert frame.header["Received"] == "2022-05-03T16:47:09Z"
    assert frame.header["x-unknown"] == {"a": 1}
    assert frame.trailer == {}
    assert octets[: frame.end].endswith(b"\xf0\x02{}" + octets[frame.end - 3 : frame.end])
    verify_sequence(reader)
    stored = reader.envelope(frame)
    opened = open_envelope(stored, keyring=KEYRING, signers=[signer.public], require_signature=True)
    assert (opened.plaintext, opened.content_meta) == (b"entry", meta)
    again, first = begin(MERKLE, NO_ENCRYPTION)
    passed_on = again.stage_envelope(stored)
    assert passed_on.octets == staged.octets
    assert first == octets[: len(first)]


def test_envelope_without_digest_gets_one_and_a_wrong_one_is_refused() -> None:
    writer, octets = begin(MERKLE, NO_ENCRYPTION)
    plain = seal(b"x", entropy=ENTROPY)
    octets += writer.stage_envelope(type(plain)({}, b"x")).octets
    assert verify_sequence(reader_of(octets)).count == 2
    with pytest.raises(VerificationError):
        writer.stage_envelope(type(plain)(plain.header, b"y", plain.trailer))
    with pytest.raises(PolicyError, match="without recipients"):
        writer.stage_envelope(type(plain)({"enc": "A256CBC"}, bytes(16)))


def test_a_frame_handed_out_opens_by_itself() -> None:
    reader = reader_of(sequence())
    envelope = reader.envelope(reader.frame(3))
    assert "FrameMac" not in envelope.trailer
    assert "ExchangePosition" not in envelope.header["SequenceInfo"]
    assert open_envelope(type(envelope).from_bytes(envelope.to_json_b()), keyring=KEYRING).plaintext == (
        b"reading 3"
    )


def test_whole_frames_are_taken_over_only_where_they_fit() -> None:
    octets = sequence(frames=4)
    frames = list(reader_of(octets).frames())
    pieces = [octets[frame.position : frame.end] for frame in frames]
    replica = continue_sequence(reader_of(pieces[0] + pieces[1]), entropy=ENTROPY)
    with pytest.raises(MeshError):
        replica.stage_raw(pieces[3])
    with pytest.raises(EncodingError):
        replica.stage_raw(pieces[2] + b"\x00")
    altered = bytearray(pieces[2])
    altered[altered.index(frames[2].body)] ^= 1
    with pytest.raises(VerificationError):
        replica.stage_raw(bytes(altered))
    for piece in pieces[2:]:
        staged = replica.stage_raw(piece)
        replica.commit(staged)
    assert replica.apex == reader_of(octets).apex
    assert replica.state.end == len(octets)


def test_random_access_without_known_positions() -> None:
    writer, octets = begin(MERKLE, NO_ENCRYPTION)
    octets += append(writer, *[(b"%d" % number, None) for number in range(700)])
    reads = 0

    def read_at(offset: int, count: int) -> bytes:
        nonlocal reads
        reads += 1
        return octets[offset : offset + count]

    for index in (700, 699, 512, 511, 300, 287):
        assert Reader(read_at, len(octets)).frame(index).index == index
    reads = 0
    Reader(read_at, len(octets)).frame(513)
    assert reads < 100
    with pytest.raises(StoreError):
        reader_of(octets).frame(701)
    with pytest.raises(StoreError):
        reader_of(octets).frame(-1)


def test_policies() -> None:
    made = policy(SESSION)
    assert Policy.from_json(made.to_json()) == made
    assert Policy.from_json(None) == Policy.from_json({}) == Policy()
    assert Policy.from_json({"EncryptKeys": [KEY.public.to_json()], "x": 1}).encryption == ISOLATED
    assert Policy.from_json({"x": 1}).to_json() == {"x": 1}
    for refused in ({"Encryption": "All"}, {"Encryption": "Once"}):
        with pytest.raises(PolicyError):
            Policy.from_json(refused)
    with pytest.raises(PolicyError):
        new_sequence("Heap", Policy(), entropy=ENTROPY)
    with pytest.raises(PolicyError):
        policy_for((KEY.public,), NO_ENCRYPTION)


@pytest.mark.parametrize(
    "first",
    [
        b'{"SequenceInfo":{"ContainerType":"Heap","Index":0}}',
        b'{"SequenceInfo":{"ContainerType":"List","Index":1}}',
        b'{"SequenceInfo":{"ContainerType":"List","Index":"0"}}',
        b'{"SequenceInfo":[]}',
        b'{"x":"' + b"y" * 70000 + b'"}',
    ],
)
def test_malformed_first_frames_are_refused(first: bytes) -> None:
    with pytest.raises(EncodingError):
        reader_of(pack_frame([first, b"", b""]))
