"""Envelopes in pieces: what is written opens whole and in pieces, and every alteration shows."""

import io
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.codec import b64
from mathmesh.dare import stream
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import Envelope, open_envelope, seal
from mathmesh.dare.sealing import Sealing
from mathmesh.dare.suites import A256CBC, A256GCM, OWN
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, StoreError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate

ENTROPY = random.Random("streams").randbytes
KEY, SIGNER = generate("X448", ENTROPY), generate("Ed448", ENTROPY)
SECRET = ENTROPY(16)
KEYRING = MemoryKeyring((), [SECRET])
META = ContentMeta(filename="a.txt", cty="text/plain")


def sealing(**options: Any) -> Sealing:
    given_options: dict[str, Any] = {"symmetric": [SECRET], "content_meta": META, "suites": OWN}
    return Sealing(entropy=ENTROPY, **(given_options | options))


def reader(octets: bytes, step: int = 1 << 20) -> stream.Read:
    """Gives out at most `step` octets at a time, as pipes do."""
    source = io.BytesIO(octets)
    return lambda count: source.read(min(count, step))


def written(plaintext: bytes, *, known: bool = True, step: int = 1 << 20, **options: Any) -> bytes:
    output = io.BytesIO()
    length = len(plaintext) if known else None
    report = stream.write_stream(sealing(**options), reader(plaintext, step), output.write, length=length)
    assert report.length == len(plaintext)
    assert report.octets == len(output.getvalue())
    return output.getvalue()


def opened(octets: bytes, *, step: int = 1 << 20, **options: Any) -> tuple[bytes, stream.StreamOpened]:
    output = io.BytesIO()
    given_options: dict[str, Any] = {"keyring": KEYRING, "suites": OWN}
    report = stream.open_stream(reader(octets, step), output.write, **(given_options | options))
    return output.getvalue(), report


@pytest.mark.parametrize("enc", [A256CBC, A256GCM, None])
@pytest.mark.parametrize("known", [True, False])
def test_lengths_around_blocks_and_pieces(
    monkeypatch: pytest.MonkeyPatch, enc: str | None, known: bool
) -> None:
    monkeypatch.setattr(stream, "PIECE", 64)
    options: dict[str, Any] = {"symmetric": []} if enc is None else {"enc": enc}
    for length in (0, 1, 15, 16, 17, 63, 64, 65, 64 * 6 - 1, 64 * 6, 64 * 6 + 1, 1000):
        plaintext = ENTROPY(length)
        octets = written(plaintext, known=known, step=37, **options)
        found, report = opened(octets, step=29)
        assert found == plaintext
        assert (report.length, report.opened) == (length, True)
        assert report.encrypted == (enc is not None)
        whole = open_envelope(Envelope.from_bytes(octets), keyring=KEYRING, suites=OWN)
        assert (whole.plaintext, whole.content_meta) == (plaintext, META)


@given(st.binary(max_size=400), st.integers(1, 90), st.integers(0, 2), st.booleans())
@settings(max_examples=40, deadline=None)
def test_all_forms_are_read_in_pieces(plaintext: bytes, step: int, form: int, encrypted: bool) -> None:
    envelope = seal(
        plaintext,
        entropy=ENTROPY,
        symmetric=[SECRET] if encrypted else (),
        signer=SIGNER,
        annotations=[b"note"],
        content_meta=META,
    )
    octets = (envelope.to_json, envelope.to_json_b, envelope.to_stream)[form]()
    found, report = opened(octets, step=step, signers=[SIGNER.public], require_signature=True)
    assert found == plaintext
    assert report.signed_by == (SIGNER.public.udf,)
    assert (report.content_meta, report.annotations) == (META, (b"note",))


def test_white_space_tags_and_missing_parts() -> None:
    for octets, body in (
        (b' [ {} , "AA\n AA" , {} ] \n', bytes(3)),
        (b"[{}]", b""),
        (b"[{}, null, null]", b""),
        (b'[{},""]', b""),
        (b'{"DareEnvelope": [{}, "AAAA"]}', bytes(3)),
        (b"[{}\x8c\x01a\x8d\x00\x02bc\x88\x00]", b"abc"),
    ):
        assert opened(octets)[0] == body == Envelope.from_bytes(octets).body


@pytest.mark.parametrize(
    "octets",
    [
        *(b"", b" ", b"{}", b"[", b"[]", b"[7]", b"[{}", b"[{},", b"[{},]", b"x"),
        *(b'[{},"AA",]', b'[{},"A"]', b'[{},"A!"]', b'[{},"AAAA', b'[{},"AAAA"', b"[{},7]", b"[{},nul]"),
        *(b"[{},\x88\x05abc]", b"[{},\x80\x01a]", b"[{},\x8c\x01a]", b"[{},\x8c\x01a\x80\x00]"),
        *(b'[{},"AA",{},{}]', b'[{},"AA",7]', b'[{},"AA"]x', b'[{},"AA"{}'),
    ],
)
def test_malformed_envelopes_are_refused(octets: bytes) -> None:
    with pytest.raises(EncodingError):
        opened(octets)


def test_oversized_parts_are_refused() -> None:
    long = b'{"x":"' + b"y" * 70000 + b'"}'
    for octets in (b"[" + long + b',""]', b'[{},"",' + long + b"]", b'[{},"",' + b" " * 300000 + b"]"):
        with pytest.raises(PolicyError):
            opened(octets)


def test_an_altered_octet_of_body_or_trailer_never_alters_what_is_read() -> None:
    """Names of members may be altered (an unknown one is ignored), but then something else vouches."""
    plaintext = b"plaintext of two blocks or three"
    octets = written(plaintext, signers=[SIGNER])
    start = octets.index(b",", octets.index(b"ContentMetaData")) + 1
    refused = 0
    for position in range(start, len(octets)):
        altered = bytearray(octets)
        altered[position] ^= 1
        try:
            found, report = opened(bytes(altered), signers=[SIGNER.public], require_signature=True)
            assert found == plaintext
            assert report.signed_by == (SIGNER.public.udf,)
        except MeshError:
            refused += 1
    assert refused > 0.8 * (len(octets) - start)
    for end in range(0, len(octets), 7):
        with pytest.raises(MeshError):
            opened(octets[:end])


@pytest.mark.parametrize("form", [Envelope.to_json, Envelope.to_json_b, Envelope.to_stream])
def test_same_refusals_as_whole(form: Callable[[Envelope], bytes]) -> None:
    envelope = seal(b"x" * 40, entropy=ENTROPY, symmetric=[SECRET], signer=SIGNER)
    entry = envelope.trailer["signatures"][0]
    alterations = [
        replace(envelope, body=envelope.body[:-1]),
        replace(envelope, trailer={}),
        replace(envelope, trailer={"PayloadDigest": b64.encode(bytes(64))}),
        replace(envelope, trailer=envelope.trailer | {"dig": "S256"}),
        replace(envelope, trailer=envelope.trailer | {"signatures": [entry | {"witness": "AAAA"}]}),
        replace(envelope, trailer=envelope.trailer | {"signatures": [entry | {"alg": "S256"}]}),
        replace(envelope, header=envelope.header | {"enc": "A256GCM"}),
        replace(envelope, header=envelope.header | {"Salt": b64.encode(bytes(16))}),
        replace(envelope, header=envelope.header | {"recipients": []}),
    ]
    for altered in alterations:
        with pytest.raises(MeshError) as whole:
            open_envelope(altered, keyring=KEYRING, signers=[SIGNER.public], suites=OWN)
        with pytest.raises(MeshError) as pieces:
            opened(form(altered), signers=[SIGNER.public])
        assert type(pieces.value) is type(whole.value)


def test_verifying_without_a_key() -> None:
    octets = written(b"secret", signers=[SIGNER])
    for keyring, known in ((None, False), (MemoryKeyring(), False), (KEYRING, True)):
        report = stream.open_stream(reader(octets), None, keyring=keyring, signers=[SIGNER.public])
        assert (report.opened, report.signed_by) == (known, (SIGNER.public.udf,))
        assert report.length is None
    with pytest.raises(KeyUnavailableError):
        opened(octets, keyring=None)
    body = octets.index(b",\x88") + 4
    with pytest.raises(MeshError, match="PayloadDigest"):
        stream.open_stream(reader(octets[:body] + b"x" + octets[body + 1 :]), None)


def test_sources_that_change_are_refused() -> None:
    for length in (9, 11):
        with pytest.raises(StoreError, match="in the beginning"):
            stream.write_stream(sealing(), reader(b"x" * 10), io.BytesIO().write, length=length)


def test_bodies_longer_than_a_cipher_may_take_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PolicyError, match="too long"):
        stream.write_stream(sealing(enc=A256GCM), reader(b""), io.BytesIO().write, length=1 << 37)
    assert (1 << 40) < sealing().maximum


def test_progress_and_hashers_elsewhere() -> None:
    seen: list[tuple[int, int | None]] = []
    plaintext = ENTROPY(3 * stream.PIECE)
    output = io.BytesIO()

    class Late:
        """Hashes each piece after `BUFFERS - 2` further ones were given, as a thread may."""

        def __init__(self, hasher: Any) -> None:
            self._hasher, self._held = hasher, []

        def update(self, piece: bytes | memoryview) -> None:
            self._held.append(piece)
            if len(self._held) > stream.BUFFERS - 2:
                self._hasher.update(self._held.pop(0))

        def digest(self) -> bytes:
            for piece in self._held:
                self._hasher.update(piece)
            return bytes(self._hasher.digest())

    stream.write_stream(
        sealing(),
        reader(plaintext),
        output.write,
        length=len(plaintext),
        wrap=Late,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen[-1] == (len(plaintext), len(plaintext))
    assert len(seen) == 3
    assert opened(output.getvalue(), wrap=Late)[0] == plaintext
