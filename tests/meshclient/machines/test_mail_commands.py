"""Keys of mail accounts in the hands of Debian's gpg and openssl, on two devices of the account."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
TEXT = b"What Bob has to say.\n"


def ok(run: Any) -> Any:
    assert run.code == 0, run.err
    return run


@pytest.fixture(autouse=True)
def real_time(closed_world: Any) -> None:
    """gpg and openssl read the machine's clock."""
    closed_world.now = datetime.now(UTC)


@pytest.fixture
def gpg(tmp_path: Path) -> Iterator[Callable[..., bytes]]:
    """`gpg(person, words)`: gpg with that person's keys."""
    if shutil.which("gpg") is None:
        pytest.skip("gnupg is not installed")
    homes: set[Path] = set()

    def run(person: str, *words: str, given: bytes = b"") -> bytes:
        home = tmp_path / f"gnupg-{person}"
        home.mkdir(mode=0o700, exist_ok=True)
        homes.add(home)
        options = ["--batch", "--no-tty", "--trust-model", "always", "--pinentry-mode", "loopback"]
        done = subprocess.run(
            ["gpg", *options, "--passphrase", "", *words],
            input=given,
            capture_output=True,
            env={**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C"},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout + done.stderr

    yield run
    for home in homes:
        subprocess.run(["gpgconf", "--kill", "all"], env={**os.environ, "GNUPGHOME": str(home)}, check=True)


def openssl(*words: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_openpgp_on_two_devices(alice: Run, meshman: Run, join: Run, gpg: Callable[..., bytes]) -> None:
    join("alice2", "/web")
    join("alice3", "/message")
    made = ok(alice("mail add Alice@Example.com /only openpgp /web /name", "Alice Example"))
    assert made.value("Address") == "alice@example.com"
    assert made.value("Devices") == "2"
    public = ok(alice("mail openpgp encrypt")).out
    ok(meshman("alice2", "mail openpgp encrypt alice@example.com /private /file secret.asc"))
    assert stat.S_IMODE(Path("secret.asc").stat().st_mode) == 0o600
    refused = meshman("alice3", "mail openpgp encrypt /private /file other.asc")
    assert (refused.code, refused.out, Path("other.asc").exists()) == (1, "", False)

    gpg("bob", "--import", given=public.encode())
    listed = gpg("bob", "--list-keys", "--with-colons").decode()
    assert made.value("OpenPGP") in listed
    assert "Alice Example <alice@example.com>" in listed
    sealed = gpg("bob", "--armor", "--encrypt", "--recipient", "alice@example.com", given=TEXT)
    assert TEXT not in sealed
    gpg("alice", "--import", given=Path("secret.asc").read_bytes())
    assert TEXT in gpg("alice", "--decrypt", given=sealed)
    signed = gpg("alice", "--clearsign", given=TEXT)
    assert b"Good signature" in gpg("bob", "--verify", given=signed)
    for_signatures = ok(alice("mail openpgp sign")).out
    gpg("carol", "--import", given=for_signatures.encode())
    assert b"Good signature" in gpg("carol", "--verify", given=signed)
    assert ":e:" not in gpg("carol", "--list-keys", "--with-colons").decode()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_smime_on_two_devices(alice: Run, meshman: Run, join: Run) -> None:
    join("alice2", "/web")
    ok(alice("mail add alice@example.com /only smime /inbound imaps://mail.example.com"))
    for use in ("sign", "encrypt"):
        ok(alice(f"mail smime {use} /file {use}.crt"))
        ok(meshman("alice2", f"mail smime {use} /private /file {use}.key"))
        assert stat.S_IMODE(Path(f"{use}.key").stat().st_mode) == 0o600
        assert b"PRIVATE" not in Path(f"{use}.crt").read_bytes()
    sealed = openssl("cms", "-encrypt", "-aes256", "encrypt.crt", given=TEXT)
    opened = openssl("cms", "-decrypt", "-recip", "encrypt.crt", "-inkey", "encrypt.key", given=sealed)
    assert opened.strip() == TEXT.strip()
    signed = openssl("cms", "-sign", "-signer", "sign.crt", "-inkey", "sign.key", given=TEXT)
    openssl("cms", "-verify", "-purpose", "smimesign", "-CAfile", "sign.crt", given=signed)

    Path("pin").write_text("a password\n")
    unnamed = meshman("alice2", "mail smime encrypt /format p12")
    assert (unnamed.code, "name it with /file" in unnamed.err) == (2, True)
    ok(meshman("alice2", "mail smime encrypt /format p12 /file mail.p12 /password-file pin"))
    kept = openssl("pkcs12", "-in", "mail.p12", "-passin", "file:pin", "-nodes")
    Path("kept.key").write_bytes(kept)
    assert openssl(
        "cms", "-decrypt", "-recip", "encrypt.crt", "-inkey", "kept.key", given=sealed
    ).strip() == (TEXT.strip())

    ok(alice("mail smime sign /format csr /file sign.csr"))
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt",
        "-subj", "/CN=Authority",
    )  # fmt: skip
    Path("ext").write_text("subjectAltName=email:alice@example.com\nextendedKeyUsage=emailProtection\n")
    openssl(
        "x509", "-req", "-in", "sign.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
        "-extfile", "ext", "-out", "certified.crt",
    )  # fmt: skip
    taken = ok(alice("mail import certified.crt"))
    assert taken.value("Certificate for") == "sign"
    assert taken.value("SmimeSign Issuer") == "CN=Authority"
    assert taken.value("Inbound") == "imaps://mail.example.com"
    ok(meshman("alice2", "mail smime sign /private /file certified.key"))
    signed = openssl("cms", "-sign", "-signer", "certified.key", given=TEXT)
    openssl("cms", "-verify", "-purpose", "smimesign", "-CAfile", "ca.crt", given=signed)
    foreign = alice("mail import ca.crt")
    assert foreign.code == 1


def test_accounts_come_and_go(alice: Run, meshman: Run, join: Run) -> None:
    stated = {
        "AccountAddress": "work@example.com",
        "InboundConnect": "imaps://in",
        "OutboundConnect": "smtps://out",
    }
    Path("work.json").write_text(json.dumps({"CatalogedApplicationMail": stated}))
    ok(alice("mail import work.json"))
    removed = join("alice2", "/web")
    first = ok(alice("mail add alice@example.com /only openpgp /name Alice"))
    again = alice("mail add alice@example.com /only openpgp")
    assert (again.code, "/replace makes others" in again.err) == (1, True)
    gone = ok(alice(f"device delete {removed}"))
    assert gone.err.count("`meshman mail add /replace` makes others") == 2
    other = ok(alice("mail add alice@example.com /only openpgp /replace"))
    assert other.value("OpenPGP") != first.value("OpenPGP")
    assert other.value("Name") == "Alice"
    found = json.loads(ok(alice("mail list /json")).out)["ResultMail"]["Accounts"]
    assert [(one["Address"], one.get("Outbound")) for one in found] == [
        ("work@example.com", "smtps://out"),
        ("alice@example.com", None),
    ]
    assert "PRIVATE" not in json.dumps(found)
    ok(alice("mail delete alice@example.com"))
    assert ok(alice("mail get")).value("Address") == "work@example.com"
    assert alice("mail get alice@example.com").code == 1
    for words in ("mail add nowhere", "mail smime sign bob@example.com", "mail import nothing.json"):
        assert alice(words).code in (1, 2)
