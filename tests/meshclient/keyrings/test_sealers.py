import os
from pathlib import Path
from typing import Any

import pytest

from mathmesh.codec import jsonbcd
from mathmesh.errors import KeyUnavailableError
from meshclient.keyrings import pkcs11, sealer
from meshclient.keyrings.pkcs11 import Pkcs11Sealer
from meshclient.keyrings.sealed import Protection
from meshclient.keyrings.tpm import TpmSealer

SECRET = bytes(range(32))


def test_tpm_gives_back_what_it_sealed(chips: Any) -> None:
    chip = chips[0].sealer
    sealed = [chip.seal(SECRET) for _ in range(2)]
    assert sealed[0] != sealed[1]
    assert SECRET not in sealed[0]
    for one in (*sealed, *sealed):
        assert chip.unseal(one) == SECRET
    other = os.urandom(32)
    assert chip.unseal(chip.seal(other)) == other


def test_another_tpm_opens_nothing(chips: Any) -> None:
    sealed = chips[0].sealer.seal(SECRET)
    with pytest.raises(KeyUnavailableError, match="refused"):
        chips[1].sealer.unseal(sealed)


def test_every_part_of_what_a_tpm_sealed_counts(chips: Any) -> None:
    chip = chips[0].sealer
    parts = jsonbcd.loads(chip.seal(SECRET))
    assert isinstance(parts, dict)
    for name in ("pub", "priv"):
        octets = bytearray(parts[name])
        octets[-1] ^= 1
        with pytest.raises(KeyUnavailableError):
            chip.unseal(jsonbcd.dumps_b({**parts, name: bytes(octets)}))
    for other in (b"", b"{}", jsonbcd.dumps_b({"pub": b"x"}), jsonbcd.dumps_b([])):
        with pytest.raises(KeyUnavailableError):
            chip.unseal(other)


def test_a_tpm_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyUnavailableError):
        TpmSealer(f"swtpm:path={tmp_path}/none").seal(SECRET)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not TpmSealer("device:/dev/tpmrm0").available
    with pytest.raises(KeyUnavailableError, match="tpm2-tools"):
        TpmSealer("device:/dev/tpmrm0").unseal(jsonbcd.dumps_b({"pub": b"x", "priv": b"y"}))


def test_token_gives_back_what_it_sealed(hsm: Pkcs11Sealer) -> None:
    sealed = [hsm.seal(SECRET) for _ in range(2)]
    assert sealed[0] != sealed[1]
    assert SECRET not in sealed[0]
    assert b"1234" not in sealed[0]
    parts = [jsonbcd.loads(one) for one in sealed]
    assert parts[0]["Key"] == parts[1]["Key"]  # type: ignore[index]
    for one in sealed:
        assert hsm.unseal(one) == SECRET


def test_the_token_that_sealed_is_found_by_its_label(hsm: Pkcs11Sealer, token: Path) -> None:
    sealed = hsm.seal(SECRET)
    assert Pkcs11Sealer(token, token="other", pin=lambda: "1234").unseal(sealed) == SECRET
    parts: Any = jsonbcd.loads(sealed)
    for name, value in (("Token", "other"), ("Token", "none"), ("Key", b"none"), ("Secret", b"short")):
        with pytest.raises(KeyUnavailableError):
            hsm.unseal(jsonbcd.dumps_b({**parts, name: value}))


def test_wrong_pin_and_missing_library(hsm: Pkcs11Sealer, token: Path, tmp_path: Path) -> None:
    sealed = hsm.seal(SECRET)
    with pytest.raises(KeyUnavailableError, match="PinIncorrect"):
        Pkcs11Sealer(token, pin=lambda: "9999").unseal(sealed)
    with pytest.raises(KeyUnavailableError):
        Pkcs11Sealer(tmp_path / "none.so", pin=lambda: "1234").unseal(sealed)


def test_settings_from_the_environment(token: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (pkcs11.MODULE, pkcs11.TOKEN, pkcs11.PIN_FILE):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(KeyUnavailableError, match=pkcs11.MODULE):
        sealer.sealer("pkcs11").seal(SECRET)
    monkeypatch.setenv(pkcs11.MODULE, str(token))
    monkeypatch.setenv(pkcs11.TOKEN, "mesh")
    with pytest.raises(KeyUnavailableError, match=pkcs11.PIN_FILE):
        sealer.sealer("pkcs11").seal(SECRET)
    pin = tmp_path / "pin"
    pin.write_text("1234\n")
    pin.chmod(0o644)
    monkeypatch.setenv(pkcs11.PIN_FILE, str(pin))
    with pytest.raises(KeyUnavailableError, match="chmod 600"):
        sealer.sealer("pkcs11").seal(SECRET)
    pin.chmod(0o600)
    made = sealer.sealer("pkcs11")
    assert made.unseal(made.seal(SECRET)) == SECRET


def test_no_such_sealer() -> None:
    with pytest.raises(KeyUnavailableError, match="known are tpm2, pkcs11"):
        sealer.sealer("paper")


class Forgetful:
    """Hardware that gives back something else than it was given."""

    name = "forgetful"

    def seal(self, secret: bytes) -> bytes:
        return b""

    def unseal(self, sealed: bytes) -> bytes:
        return bytes(32)


def test_hardware_is_tried_before_it_is_relied_on() -> None:
    with pytest.raises(KeyUnavailableError, match="does not give back"):
        Protection.create(Forgetful())
