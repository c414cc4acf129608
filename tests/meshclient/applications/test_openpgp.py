import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError
from mathmesh.keys.pair import PrivateKey, generate
from meshclient.applications.openpgp import OpenPgpKey, fingerprint

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gnupg is not installed")

CREATED = datetime(2024, 2, 29, 12, tzinfo=UTC)
ALICE = "Alice Example <alice@example.com>"


@pytest.fixture
def gnupg(tmp_path: Path) -> Iterator["Gpg"]:
    gpg = Gpg(tmp_path / "gnupg")
    yield gpg
    gpg.close()


class Gpg:
    """Debian's gpg with a home of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.environment = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"}

    def __call__(self, *words: str, given: bytes = b"") -> str:
        options = ("--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", "")
        done = subprocess.run(
            ["gpg", *options, *words],
            input=given,
            capture_output=True,
            env=self.environment,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode() + done.stderr.decode()

    def close(self) -> None:
        subprocess.run(["gpgconf", "--kill", "all"], env=self.environment, check=True)


def key(**changed: object) -> OpenPgpKey:
    made = {
        "sign": generate("Ed25519", os.urandom),
        "encrypt": generate("X25519", os.urandom),
        "user_ids": (ALICE, "<second@example.com>"),
        "created": CREATED,
        **changed,
    }
    return OpenPgpKey(**made)  # type: ignore[arg-type]


@pytest.mark.parametrize("lead", [b"", b"\x00", b"\x00\x00", b"\xff"], ids=["any", "00", "0000", "ff"])
def test_gpg_signs_and_decrypts_with_it(lead: bytes, gnupg: Gpg) -> None:
    """Also with secrets that begin with zeros, which a number does not hold."""
    made = key(
        sign=PrivateKey.from_seed("Ed25519", lead + os.urandom(32 - len(lead))),
        encrypt=PrivateKey.from_seed("X25519", os.urandom(32 - len(lead)) + lead),
    )
    gnupg("--import", given=made.secret().encode())
    assert made.fingerprint in gnupg("--list-secret-keys", "--with-colons")
    sealed = gnupg(
        "-a", "--trust-model", "always", "--sign", "--encrypt", "-r", "alice@example.com", given=b"text"
    )
    opened = gnupg("--decrypt", given=sealed.encode())
    assert "text" in opened
    assert "Good signature" in opened


def test_all_signatures_of_the_public_key_hold(gnupg: Gpg) -> None:
    made = key()
    gnupg("--import", given=made.public().encode())
    assert "3 good signatures" in gnupg("--check-signatures")
    listed = gnupg("--list-keys", "--with-colons", "--with-subkey-fingerprint")
    assert made.fingerprint in listed
    assert made.encrypt is not None
    assert fingerprint(made.encrypt.public, CREATED) in listed
    assert ALICE in listed
    assert f":{int(CREATED.timestamp())}:" in listed


def test_the_text_is_the_same_each_time_and_holds_no_secret() -> None:
    made = key()
    assert made.public() == made.public()
    assert "PRIVATE" not in made.public()
    assert len(made.secret()) > len(made.public())


@pytest.mark.parametrize(
    "changed",
    [
        {"sign": generate("X25519", os.urandom)},
        {"sign": PrivateKey.from_scalar("Ed25519", 99)},
        {"encrypt": generate("X448", os.urandom)},
        {"user_ids": ()},
    ],
)
def test_what_is_no_key(changed: dict[str, object]) -> None:
    with pytest.raises(EncodingError):
        key(**changed)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 513])
def test_names_that_a_key_cannot_bear(name: str) -> None:
    with pytest.raises(EncodingError):
        key(user_ids=(name,)).public()


def test_a_key_for_signatures_only(gnupg: Gpg) -> None:
    made = key(encrypt=None, user_ids=(ALICE,))
    gnupg("--import", given=made.secret().encode())
    assert "BEGIN PGP SIGNED MESSAGE" in gnupg("--clearsign", given=b"text")
