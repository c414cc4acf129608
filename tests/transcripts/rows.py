"""The rows of the table: who types what, and what must come of it.

In commands and patterns `{x}` is the value that was seen first where a pattern says `<x:KIND>`; every later
`<x:KIND>` must be that same value.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.ssh_server import login

from mathmesh.dare.envelope import Envelope

KINDS = {
    "M": r"M[A-Z2-7]{3}(?:-[A-Z2-7]{2,4})+",
    "UDF": r"[A-Z2-7]{4}(?:-[A-Z2-7]{2,4})+",
    "A": r"A[A-Z2-7]{3}(?:-[A-Z2-7]{2,4})+",
    "S": r"S[A-Z2-7]{3}(?:-[A-Z2-7]{2,4})+",
    "MCU": r"mcu://[^\s]+",
    "FILE": r"[^\s]+",
    "HEX": r"[0-9A-Fa-f]{128}",
    "TIME": r"\d{4}-\d\d-\d\dT[\d:]+Z",
    "N": r"\d+",
}

Check = Callable[[Path], str | None]
"""Given the folder of files: what is wrong, or None."""
Reading = Callable[[Path, str], str | None]
"""Given the folder of files and what was printed: what is wrong, or None."""

PLAIN = "This is the plaintext of section 4.1.1, and it shall be read by nobody else: canary-QX7Z.\n"
GROUP_PLAIN = "What the group W knows: canary-GW42.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `code` is the exit code, `seen` what must be printed, `unseen` what must not."""

    section: str
    actor: str
    command: str
    seen: Sequence[str] = ()
    unseen: Sequence[str] = ()
    code: int = 0
    checks: Sequence[Check] = ()
    reads: Sequence[Reading] = ()

    def words(self, known: dict[str, str]) -> list[str]:
        """The words of the command, with the values seen so far."""
        return [word.format(**known) for word in shlex.split(self.command)]


def equal(first: str, second: str) -> Check:
    """Two files are there and have the same content."""

    def check(files: Path) -> str | None:
        if not (files / first).exists() or not (files / second).exists():
            return f"{first} or {second} is missing"
        same = (files / first).read_bytes() == (files / second).read_bytes()
        return None if same else f"{first} and {second} differ"

    return check


def absent(name: str) -> Check:
    """There is no such file."""
    return lambda files: f"{name} exists" if (files / name).exists() else None


def sealed(name: str, plaintext: str) -> Check:
    """A file is there and holds no part of a plaintext."""

    def check(files: Path) -> str | None:
        if not (files / name).exists():
            return f"{name} is missing"
        content = (files / name).read_bytes()
        words = [word for word in plaintext.split() if len(word) > 5]
        return next((f"{name} holds {word!r}" for word in words if word.encode() in content), None)

    return check


def verified(name: str, plaintext: str) -> Reading:
    """Size, recipient and digest were told as they are in the file."""

    def read(files: Path, printed: str) -> str | None:
        envelope = Envelope.from_bytes((files / name).read_bytes())
        [recipient] = envelope.header["recipients"]
        padded = (len(plaintext) // 16 + 1) * 16
        digest = hashlib.sha512(envelope.body).hexdigest()
        true = {"Bytes": str(padded), "Recipient": recipient["kid"], "Payload Digest": digest}
        told = dict(re.findall(r"^\s*([\w ]+): *(\S+)", printed, re.MULTILINE))
        wrong = [line for line, value in true.items() if told.get(line, "").lower() != value.lower()]
        if len(envelope.body) != padded:
            wrong.append("size of the body")
        return f"not true: {', '.join(wrong)}" if wrong else None

    return read


def logs_in(folder: str) -> Check:
    """The system's ssh logs in to the server with what a machine wrote into a folder."""

    def check(files: Path) -> str | None:
        done = login(int((files / "sshd.port").read_text()), files / folder / "mesh_config")
        return None if done.stdout == "in\n" else f"{folder} does not log in: {done.stderr.strip()}"

    return check


def present(name: str) -> Check:
    """There is such a file."""
    return lambda files: None if (files / name).exists() else f"{name} is missing"


FIRST = (
    Row(
        section="4.1",
        actor="Alice",
        command="account create alice@example.com",
        seen=["Account=alice@example.com", "UDF=<a:M>"],
    ),
    Row(
        section="4.1.1",
        actor="Alice",
        command="dare encode plaintext.txt ciphertext.dare /encrypt alice@example.com",
        checks=[sealed("ciphertext.dare", PLAIN)],
    ),
    Row(
        section="4.1.1",
        actor="Alice",
        command="account get /json",
        seen=['"CommonEncryption": { "Udf": "<ek:M>"'],
    ),
    Row(
        section="4.1.1",
        actor="Alice",
        command="dare verify ciphertext.dare",
        reads=[verified("ciphertext.dare", PLAIN)],
        seen=[
            "File: ciphertext.dare",
            "Bytes: <bytes:N>",
            "Encryption Algorithm: A256CBC",
            "Recipient: <ek:M>",
            "Digest Algorithm: S512",
            "Payload Digest: <dig:HEX>",
        ],
    ),
    Row(
        section="4.1.1",
        actor="Alice",
        command="dare decode ciphertext.dare plaintext1.txt",
        checks=[equal("plaintext.txt", "plaintext1.txt")],
    ),
    Row(
        section="4.1.2",
        actor="Alice",
        command="password add ftp.example.com alice1 password",
        seen=["alice1@ftp.example.com = [password]"],
    ),
    Row(
        section="4.1.2",
        actor="Alice",
        command="password add www.example.com alice@example.com newpassword",
        seen=["alice@example.com@www.example.com = [newpassword]"],
    ),
    Row(
        section="4.1.2",
        actor="Alice",
        command="password get ftp.example.com",
        seen=["alice1@ftp.example.com = [password]"],
    ),
)

CONNECTIONS = (
    Row(
        section="4.2",
        actor="Alice2",
        command="device request alice@example.com",
        seen=["Device UDF = <d:M>", "Witness value = <w:UDF>"],
    ),
    Row(
        section="4.2",
        actor="Alice",
        command="device pending",
        seen=[
            "Connection Request::",
            "MessageID: <w:UDF>",
            "To: alice@example.com From: ",
            "Device: <d:M>",
            "Witness: <w:UDF>",
        ],
    ),
    Row(section="4.2", actor="Alice", command="device accept {w} /message /web", seen=["Accept"]),
    Row(
        section="4.2",
        actor="Alice2",
        command="device complete",
        seen=["Device UDF = <d:M>", "Account = alice@example.com", "Account UDF = <a:M>"],
    ),
    Row(
        section="4.2 PIN",
        actor="Alice",
        command="account pin /web",
        seen=["PIN=<pin:A>", "mcu://alice@example.com/<pin:A>", "Expires=<expires:TIME>"],
    ),
    Row(
        section="4.2 PIN",
        actor="Alice3",
        command="device request alice@example.com /pin {pin}",
        seen=["Device UDF = <d3:M>", "Witness value = <w3:UDF>"],
    ),
    Row(section="4.2 PIN", actor="Alice", command="account sync /auto", seen=["<w3:UDF>"]),
    Row(
        section="4.2 PIN",
        actor="Alice3",
        command="device complete",
        seen=["Device UDF = <d3:M>", "Account = alice@example.com", "Account UDF = <a:M>"],
    ),
    Row(
        section="4.2 dynamic QR",
        actor="Alice",
        command="account pin /web /qr file.svg",
        seen=["URI=<join:MCU>"],
        checks=[present("file.svg")],
    ),
    Row(
        section="4.2 dynamic QR",
        actor="Alice4",
        command="device join {join}",
        seen=["Device UDF = <d4:M>", "Witness value = <w4:UDF>"],
    ),
    Row(section="4.2 dynamic QR", actor="Alice", command="account sync /auto", seen=["<w4:UDF>"]),
    Row(
        section="4.2 dynamic QR",
        actor="Alice4",
        command="device complete",
        seen=["Device UDF = <d4:M>", "Account UDF = <a:M>"],
    ),
    Row(
        section="4.2 static QR",
        actor="Maker",
        command="account create maker@example.com",
        seen=["Account=maker@example.com"],
    ),
    Row(
        section="4.2 static QR",
        actor="Maker",
        command="device preconfig",
        seen=["Device UDF = <d5:M>", "File = <medk:FILE>", "Connect URI = <label:MCU>"],
    ),
    Row(section="4.2 static QR", actor="Device", command="device install {medk}", seen=["[Rr]eady"]),
    Row(
        section="4.2 static QR",
        actor="Alice",
        command="account connect {label} /web",
        seen=["Device UDF = <d5:M>"],
    ),
    Row(
        section="4.2 static QR",
        actor="Device",
        command="device complete",
        seen=["Device UDF = <d5:M>", "Account = alice@example.com"],
    ),
    Row(
        section="4.2.1",
        actor="Alice2",
        command="password get ftp.example.com",
        seen=["alice1@ftp.example.com = [password]"],
    ),
    Row(
        section="4.2.1",
        actor="Alice2",
        command="dare decode ciphertext.dare plaintext2.txt",
        checks=[equal("plaintext.txt", "plaintext2.txt")],
    ),
    Row(
        section="4.2.1",
        actor="AliceT",
        command="device request alice@example.com",
        seen=["Device UDF = <dt:M>", "Witness value = <wt:UDF>"],
    ),
    Row(section="4.2.1", actor="Alice", command="device accept {wt} /threshold", seen=["Accept"]),
    Row(section="4.2.1", actor="AliceT", command="device complete", seen=["Account UDF = <a:M>"]),
    Row(
        section="4.2.1",
        actor="AliceT",
        command="dare decode ciphertext.dare threshold.txt",
        checks=[equal("plaintext.txt", "threshold.txt")],
    ),
    Row(
        section="4.2.1",
        actor="AliceT",
        command="password get ftp.example.com",
        seen=["alice1@ftp.example.com = [password]"],
    ),
    Row(section="4.2.1", actor="Alice", command="device delete {d}", seen=["[Dd]eleted"]),
    Row(section="4.2.1", actor="Alice2", command="account sync", seen=["ERROR - .*revoked"], code=1),
    Row(section="4.2.1", actor="Alice", command="device delete {dt}", seen=["[Dd]eleted"]),
    Row(
        section="4.2.1",
        actor="AliceT",
        command="dare decode ciphertext.dare refused.txt",
        seen=["ERROR - "],
        code=1,
        checks=[absent("refused.txt")],
    ),
    Row(
        section="4.2.1",
        actor="AliceT",
        command="password get ftp.example.com",
        seen=["ERROR - "],
        unseen=["password]"],
        code=1,
    ),
    Row(
        section="4.2.1",
        actor="Alice",
        command="password add new.example.com alice1 later",
        seen=["alice1@new.example.com = [later]"],
    ),
    Row(section="4.2.1", actor="Alice3", command="account sync"),
    Row(
        section="4.2.1",
        actor="Alice3",
        command="password get new.example.com",
        seen=["alice1@new.example.com = [later]"],
    ),
)

SSH = (
    Row(section="4.2.2", actor="Alice", command="ssh create /web", seen=["UDF = <sk:M>", "Roles = web"]),
    Row(section="4.2.2", actor="Alice", command="ssh host {sshd} {sshd_key}.pub"),
    Row(section="4.2.2", actor="Alice", command="ssh client /file {sshd_authorized}"),
    Row(section="4.2.2", actor="Alice", command="ssh setup /folder ssh1", checks=[logs_in("ssh1")]),
    Row(section="4.2.2", actor="Alice3", command="ssh setup /folder ssh3 /sync", checks=[logs_in("ssh3")]),
    Row(section="4.2.2", actor="Alice4", command="ssh setup /folder ssh4 /sync", checks=[logs_in("ssh4")]),
    Row(
        section="4.2.2",
        actor="Alice2",
        command="ssh setup /folder ssh2 /sync",
        seen=["ERROR - .*revoked"],
        code=1,
        checks=[absent("ssh2/mesh_config")],
    ),
)

MESSAGES = (
    Row(
        section="4.3.1",
        actor="Bob",
        command="account create bob@example.net",
        seen=["Account=bob@example.net", "UDF=<b:M>"],
    ),
    Row(
        section="4.3.1",
        actor="Bob",
        command="message contact alice@example.com",
        seen=["Envelope ID: <m_e:UDF>", "Message ID: <m:UDF>", "Response ID: <m_r:UDF>"],
    ),
    Row(section="4.3.1", actor="Alice", command="account sync"),
    Row(
        section="4.3.1",
        actor="Alice",
        command="message pending",
        seen=[
            "Contact Request::",
            "MessageID: <m:UDF>",
            "To: alice@example.com From: bob@example.net",
            "PIN: <m_pin:A>",
        ],
    ),
    Row(section="4.3.1", actor="Alice", command="message accept {m}", seen=["Accept"]),
    Row(
        section="4.3.1",
        actor="Alice",
        command="contact list",
        seen=["Anchor <a:M>", "Address alice@example.com", "Anchor <b:M>", "Address bob@example.net"],
    ),
    Row(section="4.3.1", actor="Bob", command="account sync /auto"),
    Row(
        section="4.3.1",
        actor="Bob",
        command="contact list",
        seen=["Anchor <b:M>", "Address bob@example.net", "Anchor <a:M>", "Address alice@example.com"],
    ),
    Row(
        section="4.3.2",
        actor="Console",
        command="account create console@example.com",
        seen=["Account=console@example.com"],
    ),
    Row(
        section="4.3.2",
        actor="Console",
        command="contact request alice@example.com",
        seen=["Message ID: <c:UDF>"],
    ),
    Row(section="4.3.2", actor="Alice", command="message accept {c}", seen=["Accept"]),
    Row(section="4.3.2", actor="Console", command="account sync /auto"),
    Row(
        section="4.3.2",
        actor="Console",
        command="message confirm alice@example.com start",
        seen=["Envelope ID: <n_e:UDF>", "Message ID: <n:UDF>", "Response ID: <r:UDF>"],
    ),
    Row(section="4.3.2", actor="Alice", command="message accept {n}", seen=["Accept"]),
    Row(
        section="4.3.2",
        actor="Console",
        command="message status {r}",
        seen=["^Accept$", "Signed by alice@example.com"],
    ),
    Row(
        section="4.3.2",
        actor="Console",
        command="message confirm alice@example.com stop",
        seen=["Message ID: <n2:UDF>", "Response ID: <r2:UDF>"],
    ),
    Row(section="4.3.2", actor="Console", command="message status {r2}", seen=["^Pending$"]),
    Row(section="4.3.2", actor="Alice", command="message reject {n2}", seen=["Reject"]),
    Row(
        section="4.3.2",
        actor="Console",
        command="message status {r2}",
        seen=["^Reject$", "Signed by alice@example.com"],
    ),
)

GROUPS = (
    Row(
        section="4.4",
        actor="Alice",
        command="group create groupw@example.com",
        seen=["Account=groupw@example.com", "UDF=<g:M>"],
    ),
    Row(
        section="4.4",
        actor="Alice",
        command="dare encode grouptext.txt groupsecret.dare /encrypt groupw@example.com",
        checks=[sealed("groupsecret.dare", GROUP_PLAIN)],
    ),
    Row(
        section="4.4",
        actor="Alice",
        command="dare decode groupsecret.dare early.txt",
        seen=["ERROR - No decryption key is available"],
        code=1,
        checks=[absent("early.txt")],
    ),
    Row(
        section="4.4",
        actor="Alice",
        command="group add groupw@example.com alice@example.com",
        seen=[
            "ContactAddress: alice@example.com",
            "MemberCapabilityId: <gk:M>",
            "ServiceCapabilityId: <s1:M>",
        ],
    ),
    Row(section="4.4", actor="Alice", command="account sync /auto"),
    Row(
        section="4.4",
        actor="Alice",
        command="dare decode groupsecret.dare alice.txt",
        checks=[equal("grouptext.txt", "alice.txt")],
    ),
    Row(
        section="4.4",
        actor="Alice",
        command="group add groupw@example.com bob@example.net",
        seen=[
            "ContactAddress: bob@example.net",
            "MemberCapabilityId: <gk:M>",
            "ServiceCapabilityId: <s2:M>",
        ],
    ),
    Row(section="4.4", actor="Bob", command="account sync /auto"),
    Row(
        section="4.4",
        actor="Bob",
        command="dare decode groupsecret.dare bob.txt",
        checks=[equal("grouptext.txt", "bob.txt")],
    ),
    Row(section="4.4", actor="Alice", command="group delete groupw@example.com bob@example.net"),
    Row(
        section="4.4",
        actor="Bob",
        command="dare decode groupsecret.dare bob2.txt",
        seen=["ERROR - A requested cryptographic operation failed."],
        code=1,
        checks=[absent("bob2.txt")],
    ),
)

RECOVERY = (
    Row(
        section="4.5",
        actor="Alice",
        command="account escrow",
        seen=["Share: <e1:S>\n", "Share: <e2:S>\n", "Share: <e3:S>\n", "Any 2 of these 3"],
    ),
    Row(
        section="4.5",
        actor="AliceR",
        command="account recover {e1} {e3} /verify",
        seen=["Account=alice@example.com", "UDF=<a:M>"],
        checks=[absent("../homes/AliceR/mesh/contexts")],
    ),
    Row(
        section="4.5",
        actor="AliceR",
        command="account recover {e3} {e2}",
        seen=["Account=alice@example.com", "UDF=<a:M>"],
    ),
    Row(section="4.5", actor="AliceR", command="account sync"),
    Row(
        section="4.5",
        actor="AliceR",
        command="password get ftp.example.com",
        seen=["alice1@ftp.example.com = [password]"],
    ),
    Row(section="4.5", actor="AliceR", command="device list", seen=["admin"]),
    Row(section="4.5", actor="AliceR", command="contact list", seen=["Address bob@example.net"]),
)

TABLE = (*FIRST, *CONNECTIONS, *SSH, *MESSAGES, *GROUPS, *RECOVERY)
OFFLINE = Row(
    section="4.5",
    actor="Nobody",
    command="account recover {e1} {e2} /verify",
    seen=["UDF=<a:M>"],
)
"""With the services stopped, on a machine that was never used."""
