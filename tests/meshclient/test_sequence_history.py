"""Going back to earlier versions, and copies that leave things out."""

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mathmesh.dare import history, witness
from mathmesh.dare.content_meta import DELETE, NEW, UPDATE, ContentMeta
from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.errors import KeyUnavailableError, StoreError, VerificationError
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient.sequence_copy import ORIGIN, PURGE, Redaction, copy_sequence
from meshclient.sequence_erasure import erase
from meshclient.sequence_history import undo, undo_since
from meshclient.sequence_proof import append_checkpoint
from meshclient.store_files import SequenceFile

ENTROPY = random.Random("history").randbytes
KEY, OTHER, SIGNER = generate("X448", ENTROPY), generate("X448", ENTROPY), generate("Ed448", ENTROPY)
KEYRING = MemoryKeyring([KEY])


def written(path: Path, *, sealed: bool = True) -> SequenceFile:
    """Frames: 1 a=1, 2 b=1, 3 a=2, 4 delete b, 5 without name, 6 a=3, 7 c=1."""
    file = SequenceFile.create(
        path, policy_recipients=[KEY.public] if sealed else (), keyring=KEYRING, entropy=ENTROPY
    )
    file.append(b"a=1", ContentMeta(unique_id="a", event=NEW))
    file.append(b"b=1", ContentMeta(unique_id="b", event=NEW, cty="text/plain"))
    file.append(b"a=2", ContentMeta(unique_id="a", event=UPDATE, first=1, previous=1))
    file.append(b"", ContentMeta(unique_id="b", event=DELETE, first=2, previous=2))
    file.append(b"nameless")
    file.append(b"a=3", ContentMeta(unique_id="a", event=UPDATE, first=1, previous=3))
    file.append(b"c=1", ContentMeta(filename="c", event=NEW))
    return file


def standing(file: SequenceFile) -> dict[str, bytes]:
    last = {version.name: version for version in history.versions(file.reader)}
    return {name: file.plaintext(version.index) for name, version in last.items() if not version.deleted}


def test_undo_goes_one_version_back(tmp_path: Path) -> None:
    with written(tmp_path / "a.dcon") as file:
        assert standing(file) == {"a": b"a=3", "c": b"c=1"}
        assert undo(file, "a") == 8
        assert standing(file)["a"] == b"a=2"
        meta = file.content_meta(8)
        assert (meta.event, meta.first, meta.previous) == (UPDATE, 1, 6)
        undo(file, "b")
        assert standing(file)["b"] == b"b=1"
        assert (file.content_meta(9).event, file.content_meta(9).cty) == (NEW, "text/plain")
        undo(file, "c")
        assert "c" not in standing(file)
        assert (file.content_meta(10).event, file.content_meta(10).filename) == (DELETE, "c")
        undo(file, "a", to=1)
        assert standing(file)["a"] == b"a=1"
        assert [version.index for version in history.versions(file.reader, "a")] == [1, 3, 6, 8, 11]
        for name, to in (("x", None), ("a", 2), ("a", 99)):
            with pytest.raises(StoreError):
                undo(file, name, to=to)
        file.verify()


def test_undo_of_everything_since(tmp_path: Path) -> None:
    with written(tmp_path / "a.dcon") as file:
        assert len(undo_since(file, 2)) == 3
        assert standing(file) == {"a": b"a=1", "b": b"b=1"}
        assert undo_since(file, file.count - 1) == []
        file.verify()


def test_envelopes_come_back_with_their_signatures(tmp_path: Path) -> None:
    with SequenceFile.create(tmp_path / "a.dcon", entropy=ENTROPY) as file:
        for value in (b"1", b"2"):
            meta = ContentMeta(unique_id="x", event=NEW)
            file.append_envelope(
                seal(value, entropy=ENTROPY, recipients=[KEY.public], signer=SIGNER, content_meta=meta)
            )
        assert undo(file, "x") == 3
        opened = open_envelope(
            file.envelope(3), keyring=KEYRING, signers=[SIGNER.public], require_signature=True
        )
        assert (opened.plaintext, opened.content_meta.event) == (b"1", UPDATE)
        file.verify()


def test_erased_versions_do_not_come_back(tmp_path: Path) -> None:
    with written(tmp_path / "a.dcon") as file:
        erase(file, [3], entropy=ENTROPY)
        count = file.count
        with pytest.raises(StoreError, match="erased"):
            undo(file, "a")
        assert file.count == count


@pytest.mark.parametrize("sealed", [False, True])
def test_a_copy_holds_the_same_in_fresh_frames(tmp_path: Path, sealed: bool) -> None:
    with written(tmp_path / "a.dcon", sealed=sealed) as file:
        append_checkpoint(file, SIGNER, ENTROPY)
        copied = copy_sequence(file, tmp_path / "b.dcon", entropy=ENTROPY, keyring=KEYRING, index=True)
        assert (copied.kept, copied.dropped) == (7, 0)
        assert copied.numbers == {number: number + 1 for number in range(1, 8)}
        old = file.apex
        with SequenceFile.open(tmp_path / "b.dcon", keyring=KEYRING) as copy:
            assert copy.verify().count == 10
            assert standing(copy) == standing(file)
            assert copy.content_meta(7).previous == copied.numbers[3]
            assert copy.policy == file.policy
            origin = witness.Witness.decode(copy.plaintext(1))
            assert (origin.apex, origin.index) == (old, 8)
            assert copy.content_meta(1).message_type == ORIGIN
            salts = {frame.header.get("Salt") for frame in file.frames()} - {None}
            assert not salts & {frame.header.get("Salt") for frame in copy.frames()}
    assert sorted(os.listdir(tmp_path)) == ["a.dcon", "b.dcon"]


def test_purge_keeps_what_stands(tmp_path: Path) -> None:
    with written(tmp_path / "a.dcon") as file:
        erase(file, [5], entropy=ENTROPY)
        copied = copy_sequence(
            file, tmp_path / "b.dcon", entropy=ENTROPY, redaction=PURGE, signer=SIGNER, keyring=KEYRING
        )
    assert (copied.kept, copied.dropped) == (2, 5)
    octets = (tmp_path / "b.dcon").read_bytes()
    with SequenceFile.open(tmp_path / "b.dcon", keyring=KEYRING, entropy=ENTROPY) as copy:
        assert standing(copy) == {"a": b"a=3", "c": b"c=1"}
        assert [copy.plaintext(number) for number in (2, 3)] == [b"a=3", b"c=1"]
        assert (copy.content_meta(2).first, copy.content_meta(2).previous) == (None, None)
        opened = open_envelope(copy.envelope(1), signers=[SIGNER.public], require_signature=True)
        assert witness.Witness.decode(opened.plaintext).issuer == SIGNER.public.udf
        append_checkpoint(copy, SIGNER, ENTROPY)
        assert copy.verify(signers=[SIGNER.public]).attested == 4
    assert b"b=1" not in octets


def test_redaction_by_rule(tmp_path: Path) -> None:
    now = datetime(2022, 5, 3, tzinfo=UTC)
    with SequenceFile.create(tmp_path / "a.dcon", entropy=ENTROPY) as file:
        for day in (2, 3, 4):
            file.append(b"%d" % day, ContentMeta(expire=now.replace(day=day)))
        file.append(b"never")
        rule = Redaction(expired=now, also=lambda frame, meta: frame.index == 4)
        copied = copy_sequence(file, tmp_path / "b.dcon", entropy=ENTROPY, redaction=rule)
    assert copied.numbers == {3: 2}


def test_other_recipients_and_none(tmp_path: Path) -> None:
    with written(tmp_path / "a.dcon") as file:
        envelope = seal(b"own", entropy=ENTROPY, recipients=[KEY.public], signer=SIGNER)
        file.append_envelope(envelope)
        copy_sequence(file, tmp_path / "b.dcon", entropy=ENTROPY, recipients=[OTHER.public])
        copy_sequence(file, tmp_path / "c.dcon", entropy=ENTROPY, recipients=(), container_type="Chain")
    with SequenceFile.open(tmp_path / "b.dcon", keyring=MemoryKeyring([OTHER])) as copy:
        assert copy.plaintext(2) == b"a=1"
        with pytest.raises(KeyUnavailableError):
            copy.plaintext(9)
    with SequenceFile.open(tmp_path / "b.dcon", keyring=KEYRING) as copy:
        opened = open_envelope(copy.envelope(9), keyring=KEYRING, signers=[SIGNER.public])
        assert opened.signed_by == (SIGNER.public.udf,)
        with pytest.raises(KeyUnavailableError):
            copy.plaintext(2)
    with SequenceFile.open(tmp_path / "c.dcon") as copy:
        assert copy.container_type == "Chain"
        assert copy.plaintext(9) == b"own"
        assert not copy.policy.encrypts
        copy.verify()


def test_copies_that_fail_leave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.dcon"
    with written(path) as file:
        body = file.frame(3).body
        (tmp_path / "there").write_text("mine")
        with pytest.raises(StoreError, match="exists already"):
            copy_sequence(file, tmp_path / "there", entropy=ENTROPY)
        with pytest.raises(StoreError):
            copy_sequence(file, tmp_path / "there" / "b.dcon", entropy=ENTROPY)
    with SequenceFile.open(path) as file, pytest.raises(KeyUnavailableError):
        copy_sequence(file, tmp_path / "b.dcon", entropy=ENTROPY)
    octets = bytearray(path.read_bytes())
    octets[octets.index(body)] ^= 1
    path.write_bytes(octets)
    with SequenceFile.open(path, keyring=KEYRING) as file, pytest.raises((VerificationError, StoreError)):
        copy_sequence(file, tmp_path / "b.dcon", entropy=ENTROPY)
    assert sorted(os.listdir(tmp_path)) == ["a.dcon", "there"]
