"""Keyring and key file, in clear and sealed by a software TPM."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mathmesh.dare.envelope import open_envelope, seal
from mathmesh.errors import EncodingError, KeyUnavailableError, MeshError, PolicyError, StoreError
from mathmesh.keys import symmetric
from mathmesh.keys.pair import PrivateKey, generate
from meshclient.key_file import KeyFile, Keys
from meshclient.keyrings import sealed
from meshclient.keyrings.file import FileKeyring

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keyring.json"


def test_keys_last(path: Path) -> None:
    ring = FileKeyring.open_or_create(path)
    assert not path.exists()
    agreement, signing = generate("X448", os.urandom), generate("Ed448", os.urandom)
    composite = PrivateKey.from_scalar("X448", 2**400 + 12345)
    kids = [ring.add(key) for key in (agreement, signing, composite)]
    kids.append(ring.add_symmetric(bytes(range(16))))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = FileKeyring.open(path)
    assert list(again.kids()) == kids == list(ring.kids())
    assert again.private(kids[0].lower()) == agreement
    assert again.private(kids[2]) == composite
    assert again.symmetric(kids[3]) == bytes(range(16))
    assert again.private("no udf") is again.symmetric(kids[0]) is None
    envelope = seal(b"content", entropy=os.urandom, recipients=[agreement.public])
    assert open_envelope(envelope, keyring=again).plaintext == b"content"
    assert again.remove(kids[0])
    assert not again.remove(kids[0])
    assert FileKeyring.open(path).private(kids[0]) is None


def test_short_secrets_and_open_files_are_refused(path: Path) -> None:
    ring = FileKeyring(path)
    with pytest.raises(PolicyError):
        ring.add_symmetric(bytes(14))
    ring.add_symmetric(bytes(15))
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        FileKeyring.open(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"Version":1}',
        b'{"Version":9,"PrivateKeys":[],"Secrets":[]}',
        b'{"Version":1,"PrivateKeys":[{}],"Secrets":[]}',
        b'{"Version":1,"PrivateKeys":[],"Secrets":[5]}',
    ],
)
def test_a_damaged_keyring(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(StoreError):
        FileKeyring.open(path)


def test_a_keyring_sealed_by_the_tpm(path: Path, chips: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", chips[0].sealer._tcti)
    ring = FileKeyring(path)
    kid = ring.add_symmetric(bytes(range(32)))
    clear = path.read_bytes()
    ring.seal(chips[0].sealer)
    later = ring.add(generate("Ed448", os.urandom))
    document = json.loads(path.read_bytes())
    assert (document["Version"], document["Sealer"]) == (2, "tpm2")
    assert json.loads(clear)["Secrets"][0] not in path.read_text()
    again = FileKeyring.open(path)
    assert again.sealed_by == "tpm2"
    assert set(again.kids()) == {kid, later}
    monkeypatch.setenv("TPM2TOOLS_TCTI", chips[1].sealer._tcti)
    with pytest.raises(KeyUnavailableError):
        FileKeyring.open(path)
    again.unseal()
    assert FileKeyring.open(path).sealed_by is None


def test_a_key_file_sealed_by_the_tpm(path: Path, chips: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeds of a hub: sealed, changed while sealed, opened, unsealed; never twice the same ciphertext."""
    monkeypatch.setenv("TPM2TOOLS_TCTI", chips[0].sealer._tcti)
    file = KeyFile.create(path, Keys.fresh(os.urandom, NOW))
    assert (file.sealed_by, KeyFile.open(path).keys) == (None, file.keys)
    file.seal(chips[0].sealer)
    first = path.read_bytes()
    file.save(file.keys.with_account("owner", "alice@example.com", os.urandom))
    assert first != path.read_bytes()
    assert b"alice" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = KeyFile.open(path)
    assert (again.keys, again.sealed_by) == (file.keys, "tpm2")
    monkeypatch.setenv("TPM2TOOLS_TCTI", chips[1].sealer._tcti)
    with pytest.raises(KeyUnavailableError):
        KeyFile.open(path)
    again.unseal()
    assert KeyFile.open(path).keys == file.keys


def test_a_key_file_sealed_by_a_token(
    path: Path, hsm: Any, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = path.with_name("pin")
    pin.touch(0o600)
    pin.write_text("1234")
    monkeypatch.setenv("MESH_PKCS11_MODULE", str(token))
    monkeypatch.setenv("MESH_PKCS11_PIN_FILE", str(pin))
    file = KeyFile.create(path, Keys.fresh(os.urandom, NOW))
    file.seal(hsm)
    assert KeyFile.open(path).keys == file.keys
    pin.write_text("0000")
    with pytest.raises(KeyUnavailableError):
        KeyFile.open(path)


class Box:
    """A sealer for tests that are about the document: it adds one to every octet."""

    name = "box"

    def seal(self, secret: bytes) -> bytes:
        return bytes((octet + 1) % 256 for octet in secret)

    def unseal(self, sealed_key: bytes) -> bytes:
        return bytes((octet - 1) % 256 for octet in sealed_key)


def box(name: str) -> Box:
    assert name == "box"
    return Box()


def test_every_octet_of_a_sealed_document_counts() -> None:
    protection = sealed.Protection.create(Box())
    document = protection.protect(b"content")
    content, again = sealed.reveal(document, box)
    assert (content, again) == (b"content", protection)
    assert protection._key not in repr(protection)
    value = json.loads(document)
    header, body, trailer = value["Content"]
    damaged = [
        {**value, "Content": [header, body[:-2] + ("A" if body[-2] != "A" else "B") + body[-1:], trailer]},
        {**value, "Content": [{**header, "Salt": "A" * 22}, body, trailer]},
        {**value, "Content": [header, body, {"PayloadDigest": trailer["PayloadDigest"]}]},
        {**value, "Content": "x"},
        {**value, "SealedKey": 5},
        {**value, "SealedKey": "A" * 43},
    ]
    for one in damaged:
        with pytest.raises(StoreError):
            sealed.reveal(json.dumps(one).encode(), box)


def test_a_failed_seal_leaves_the_file_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = KeyFile.create(path, Keys.fresh(os.urandom, NOW))
    before = path.read_bytes()
    monkeypatch.setenv("PATH", str(tmp_path))
    from meshclient.keyrings.tpm import TpmSealer

    with pytest.raises(KeyUnavailableError):
        file.seal(TpmSealer("device:/dev/none"))
    assert path.read_bytes() == before
    assert KeyFile.open(path).sealed_by is None


def test_content_in_clear_is_overwritten(path: Path) -> None:
    """A reader that still has the old file open finds zeros in it."""
    ring = FileKeyring(path)
    ring.add_symmetric(bytes(range(32)))
    with path.open("rb") as old:
        ring.seal(Box())
        assert set(old.read()) == {0}
    with pytest.raises(MeshError):
        FileKeyring.open(path)


def test_identifiers_of_secrets(path: Path) -> None:
    assert FileKeyring(path).add_symmetric(bytes(15)) == symmetric.key_id(bytes(15))
    with pytest.raises(EncodingError):
        FileKeyring(path).remove("no udf!")
