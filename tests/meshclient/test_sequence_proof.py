"""Checkpoints, slices that others verify, erasure with evidence, and index frames."""

import importlib.util
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.exceptions import InvalidSignature

from mathmesh.dare import erasure, proof, sequence_index, witness
from mathmesh.dare.content_meta import ContentMeta
from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.dare.policy import ISOLATED, ONCE, SESSION
from mathmesh.errors import MeshError, PolicyError, StoreError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import side_index
from meshclient.sequence_erasure import erase
from meshclient.sequence_proof import append_checkpoint, export_slice, last_checkpoint
from meshclient.store_files import SequenceFile

ENTROPY = random.Random("proofs").randbytes
KEY, SIGNER, OTHER = generate("X448", ENTROPY), generate("Ed448", ENTROPY), generate("Ed448", ENTROPY)
KEYRING = MemoryKeyring([KEY])
CHECKER = Path(__file__).resolve().parents[1] / "check_slice.py"


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_slice", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def create(path: Path, frames: int, *, sealed: bool = False, encryption: str = SESSION) -> SequenceFile:
    file = SequenceFile.create(
        path,
        policy_recipients=[KEY.public] if sealed else (),
        encryption=encryption,
        keyring=KEYRING,
        entropy=ENTROPY,
    )
    names = [ContentMeta(filename=f"{number}.txt") for number in range(1, frames)]
    file.append_many([(b"content of %d" % n, meta) for n, meta in enumerate(names, 1)], sync=False)
    return file


@pytest.mark.parametrize("frames", [2, 3, 8, 9, 31, 32, 33, 70])
def test_every_slice_verifies_with_the_signers_key_alone(
    tmp_path: Path, checker: ModuleType, frames: int
) -> None:
    with create(tmp_path / "a.dcon", frames) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        file.append(b"later")
        choose = random.Random(frames)
        spans = [(first, last) for first in range(frames) for last in range(first, frames)]
        for first, last in choose.sample(spans, min(len(spans), 25)):
            octets = export_slice(file, first, last, SIGNER.public)
            opened = proof.open_slice(octets, SIGNER.public)
            assert [frame.index for frame in opened.frames] == [*range(first, last + 1)]
            assert opened.witness.index == frames - 1
            found = checker.check(octets, SIGNER.public.octets)
            assert {n: body for n, (_, body) in found.items()} == {
                frame.index: file.frame(frame.index).body for frame in opened.frames
            }
            with pytest.raises(VerificationError):
                proof.open_slice(octets, OTHER.public)
            with pytest.raises(InvalidSignature):
                checker.check(octets, OTHER.public.octets)


def test_every_alteration_of_a_slice_is_refused(tmp_path: Path, checker: ModuleType) -> None:
    with create(tmp_path / "a.dcon", 12, sealed=True) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        octets = export_slice(file, 4, 5, SIGNER.public)
    choose = random.Random("alterations")
    variants = [octets[:position] for position in range(0, len(octets), 11)]
    variants += [
        octets + b"\xf4",
        octets + octets[octets.index(b"\n") + 1 :],
        octets.replace(b'"First":4', b'"First":5'),
    ]
    variants += [
        octets.replace(b'"Last":5', b'"Last": 5'),
        octets.replace(b'"Tree":[[', b'"Tree":[[true,"",""],['),
    ]
    for position in range(len(octets)):
        altered = bytearray(octets)
        altered[position] ^= 1 << choose.randrange(8)
        variants.append(bytes(altered))
    for variant in variants:
        with pytest.raises(MeshError):
            proof.open_slice(variant, SIGNER.public)
        with pytest.raises((ValueError, KeyError, TypeError, IndexError, AttributeError, InvalidSignature)):
            checker.check(variant, SIGNER.public.octets)


def test_the_checker_as_a_program(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon", 5) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        octets = export_slice(file, 2, 3, SIGNER.public)
    (tmp_path / "slice").write_bytes(octets)
    (tmp_path / "altered").write_bytes(octets.replace(b"content of 3", b"content of 4"))
    (tmp_path / "out").mkdir()
    arguments = [sys.executable, str(CHECKER), "slice", SIGNER.public.octets.hex(), "out"]
    run = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (0, "frames 2 to 3 are what the signer vouched for\n")
    assert (tmp_path / "out" / "3").read_bytes() == b"content of 3"
    arguments[2] = "altered"
    run = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("REFUSED: ")
    assert len(CHECKER.read_text().splitlines()) <= 100


def test_slices_need_a_checkpoint_that_covers_them(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon", 4) as file:
        with pytest.raises(StoreError, match="no checkpoint"):
            export_slice(file, 1, 2, SIGNER.public)
        append_checkpoint(file, SIGNER, ENTROPY, headers=False)
        with pytest.raises(StoreError, match="no checkpoint"):
            export_slice(file, 1, 2, SIGNER.public)
        append_checkpoint(file, SIGNER, ENTROPY)
        file.append(b"later")
        for span in ((1, 5), (3, 2), (-1, 2)):
            with pytest.raises((PolicyError, StoreError)):
                export_slice(file, *span, SIGNER.public)
        with pytest.raises(StoreError, match="no checkpoint"):
            export_slice(file, 1, 2, OTHER.public)
    chain = SequenceFile.create(tmp_path / "b.dcon", container_type="Chain", entropy=ENTROPY)
    with chain, pytest.raises(PolicyError, match="only Merkle"):
        append_checkpoint(chain, SIGNER, ENTROPY)


def test_checkpoints_are_verified_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path, 6) as file:
        assert file.verify(signers=[SIGNER.public]).attested == 0
        append_checkpoint(file, SIGNER, ENTROPY)
        file.append(b"more")
        append_checkpoint(file, SIGNER, ENTROPY)
        append_checkpoint(file, OTHER, ENTROPY, headers=False)
        report = file.verify(signers=[SIGNER.public])
        assert (report.attested, report.attested_by, report.headers_attested) == (8, SIGNER.public.udf, True)
        assert file.verify(signers=[OTHER.public]).headers_attested is False
        assert file.verify().attested == 0
        assert (
            last_checkpoint(file, SIGNER.public)[1].id
            == last_checkpoint(file, OTHER.public, headers=False)[1].id
        )
        position = file.frame(3).position
    octets = path.read_bytes()
    place = octets.index(b"ContentMetaData", position) + len('ContentMetaData":"')
    path.write_bytes(octets[:place] + b"eyJ4IjoxfQ" + octets[place + 10 :])
    with SequenceFile.open(path) as file, pytest.raises(VerificationError, match="header that checkpoint 6"):
        file.verify(signers=[SIGNER.public])


def test_false_checkpoints_are_refused(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon", 6) as file:
        apex = file.apex or b""
        good = witness.Witness(
            id=witness.sequence_id(file.reader), issuer=SIGNER.public.udf, apex=apex, index=5
        )
        for wrong in (
            replace(good, apex=bytes(64)),
            replace(good, index=6),
            replace(good, issuer=OTHER.public.udf),
            replace(good, header_peaks=(bytes(64),) * 2),
        ):
            copy = tmp_path / "copy.dcon"
            copy.write_bytes(file.path.read_bytes())
            with SequenceFile.open(copy, entropy=ENTROPY) as other:
                other.append_envelope(witness.make_checkpoint(wrong, SIGNER, ENTROPY))
                with pytest.raises(VerificationError):
                    other.verify(signers=[SIGNER.public])
        file.append_envelope(witness.make_checkpoint(replace(good, id="of another"), SIGNER, ENTROPY))
        assert file.verify(signers=[SIGNER.public]).attested == 0
        file.append_envelope(witness.make_checkpoint(good, SIGNER, ENTROPY))
        assert file.verify(signers=[SIGNER.public]).attested == 6


@pytest.mark.parametrize("encryption", [ONCE, SESSION, ISOLATED])
@pytest.mark.parametrize("signed", [False, True])
def test_erasure(tmp_path: Path, encryption: str, signed: bool, checker: ModuleType) -> None:
    path = tmp_path / "a.dcon"
    signer = SIGNER if signed else None
    with create(path, 8, sealed=True, encryption=encryption) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        size, before = file.size, file.frame(3)
        assert erase(file, [3, 5], entropy=ENTROPY, signer=signer, reason="asked for") == (3, 5)
        assert erase(file, [5, 3], entropy=ENTROPY, signer=signer) == ()
        assert (before.erased, file.frame(3).erased) == (False, True)
        for number in (3, 5):
            with pytest.raises(StoreError, match=f"frame {number} was erased"):
                file.plaintext(number)
        assert file.plaintext(4) == b"content of 4"
        assert file.frame(3).body == before.body
        append_checkpoint(file, SIGNER, ENTROPY)
    with SequenceFile.open(path, keyring=KEYRING, entropy=ENTROPY) as file:
        report = file.verify(signers=[SIGNER.public])
        assert (report.erased, report.unexplained) == ((3, 5), ())
        assert (report.attested, report.headers_attested) == (10, True)
        assert file.verify().unexplained == ((3, 5) if signed else ())
        evidence = erasure.Evidence.decode(file.plaintext(9))
        assert evidence.reason == "asked for"
        checker.check(export_slice(file, 4, 4, SIGNER.public), SIGNER.public.octets)
        checker.check(export_slice(file, 6, 9, SIGNER.public), SIGNER.public.octets)
        with pytest.raises(MeshError):
            export_slice(file, 2, 4, SIGNER.public)
        assert file.size > size
    with SequenceFile.open(path) as file:
        assert file.verify(signers=[SIGNER.public]).headers_attested is signed


def test_a_zeroed_salt_without_evidence_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path, 5, sealed=True) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        file.overwrite([erasure.overwrite(file.reader.read_at, file.frame(2))])
        report = file.verify(signers=[SIGNER.public])
        assert (report.erased, report.unexplained, report.headers_attested) == ((2,), (2,), False)
        octets = path.read_bytes()
        place = octets.index(b'"Salt":"', file.frame(3).position) + 8
    path.write_bytes(octets[:place] + b"B" + octets[place + 1 :])
    with (
        SequenceFile.open(path, keyring=KEYRING) as file,
        pytest.raises(VerificationError, match="header of frame 3"),
    ):
        file.verify()


@pytest.mark.parametrize("attested", [False, True])
def test_headers_of_erased_frames_cannot_be_altered(tmp_path: Path, attested: bool) -> None:
    path = tmp_path / "a.dcon"
    with create(path, 5, sealed=True) as file:
        erase(file, [2], entropy=ENTROPY)
        if attested:
            append_checkpoint(file, SIGNER, ENTROPY)
        with pytest.raises(PolicyError, match="evidence of an erasure"):
            erase(file, [5], entropy=ENTROPY)
        position = file.frame(2).position
    octets = path.read_bytes()
    place = octets.index(b"ContentMetaData", position) + len('ContentMetaData":"')
    path.write_bytes(octets[:place] + b"eyJ4IjoxfQ" + octets[place + 10 :])
    with SequenceFile.open(path, keyring=KEYRING, entropy=ENTROPY) as file:
        with pytest.raises(VerificationError, match="header of frame 2 was altered since it was erased"):
            file.verify()
        if attested:
            with pytest.raises(VerificationError, match="altered since"):
                export_slice(file, 3, 3, SIGNER.public)


def test_what_cannot_be_erased(tmp_path: Path) -> None:
    with create(tmp_path / "a.dcon", 4) as file:
        before = file.count
        for numbers in ([0], [1], [2, 99]):
            with pytest.raises((PolicyError, StoreError)):
                erase(file, numbers, entropy=ENTROPY, signer=SIGNER)
        file.append_envelope(seal(b"own", entropy=ENTROPY, recipients=[KEY.public]))
        with pytest.raises(PolicyError, match="sign the evidence"):
            erase(file, [4], entropy=ENTROPY)
        assert file.count == before + 1
        assert erase(file, [4], entropy=ENTROPY, signer=SIGNER) == (4,)
        with pytest.raises(StoreError, match="erased"):
            file.plaintext(4)


def test_index_frames(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path, 1500, sealed=True) as file:
        made = file.append_index()
        assert len(made) > 1
        file.append_many([b"more"] * 3)
        assert len(file.append_index()) == 1
        assert sequence_index.is_index(file.frame(made[0]))
        entry = file.frame(made[0]).header["SequenceIndex"]["Positions"][7]
        assert entry == {"Index": 7, "Position": file.frame(7).position, "UniqueId": "7.txt"}
        count, known = file.count, [frame.position for frame in file.frames()]
        assert file.verify().count == count
    side_index.discard(path)
    with SequenceFile.open(path, keyring=KEYRING, entropy=ENTROPY) as file:
        assert list(file.reader.positions) == known
        assert file.plaintext(700) == b"content of 700"
        file.append(b"behind")
    side_index.discard(path)
    with SequenceFile.open(path, keyring=KEYRING) as file:
        assert len(file.reader.positions) == 1
        assert file.plaintext(count) == b"behind"


def test_index_frames_are_hints_only(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with create(path, 20) as file:
        file.append_index(full=True)
        assert file.frame(20).header["SequenceIndex"]["Full"] is True
        place = file.frame(7).position
        wrong = file.frame(9).position
    octets = path.read_bytes()
    text, lie = f'"Position":{place}'.encode(), f'"Position":{wrong}'.encode()
    assert len(text) == len(lie)
    path.write_bytes(octets.replace(text, lie))
    with SequenceFile.open(path, keyring=KEYRING) as file:
        assert file.plaintext(7) == b"content of 7"


def test_cloaked_descriptions(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with SequenceFile.create(
        path, policy_recipients=[KEY.public], cloaked=True, keyring=KEYRING, entropy=ENTROPY
    ) as file:
        file.append(b"x", ContentMeta(filename="private.txt"))
        file.append(b"y", None)
        assert file.content_meta(1).filename == "private.txt"
        assert file.content_meta(2) == file.frame(1).content_meta == ContentMeta()
        file.verify()
        envelope = file.envelope(1)
        position = file.frame(1).position
    octets = path.read_bytes()
    assert b"cHJpdmF0" not in octets
    assert b"private" not in octets
    assert open_envelope(envelope, keyring=KEYRING).content_meta.filename == "private.txt"
    place = octets.index(b'"cloaked":"', position) + 20
    path.write_bytes(
        octets[:place] + (b"A" if octets[place : place + 1] != b"A" else b"B") + octets[place + 1 :]
    )
    with SequenceFile.open(path, keyring=KEYRING) as file, pytest.raises(VerificationError):
        file.content_meta(1)
    assert os.listdir(tmp_path) == ["a.dcon"]
