"""The commands of the reference's page on `key`, with the outputs that it prints where it can."""

import itertools
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mathmesh.codec import udf, uri
from mathmesh.keys import derive, earl
from meshclient.earl import parse_locator
from meshclient.earl_folder import publish_document
from meshclient.key_file import KeyFile, Keys
from meshclient.keyrings.file import FileKeyring

# The page prints the key IKT5-XING-… without its type, as `key recover` of the reference does.
SHARES = ["SAQK-C5U3-LREW-DZCF-7FK2-NNOU-ENSI-O", "SARF-6FA2-2GH2-FPN5-2SGI-RXDL-JSOI-M"]
KEY = udf.text(udf.ENCRYPTION, udf.octets("IKT5-XING-IF3Y-UC52-GWRI-RDWI-NY"))


@pytest.mark.parametrize(
    ("words", "letter", "characters"),
    [
        ("key nonce", "N", 28),
        ("key nonce /bits=256", "N", 53),
        ("key secret", "E", 28),
        ("key secret --bits 256", "E", 53),
        ("key secret /bits=121", "E", 28),
    ],
)
def test_random_values(meshman: Any, words: str, letter: str, characters: int) -> None:
    first, second = (meshman(words).lines for _ in range(2))
    assert first != second
    assert len(first) == 1
    assert first[0][0] == letter
    assert len(first[0].replace("-", "")) == characters
    assert udf.canonical(first[0]) == first[0]
    assert meshman(words + " /json").json()["ResultKey"]["Key"][0] == letter


@pytest.mark.parametrize(
    "words", ["key secret /bits=119", "key nonce /bits=513", "key earl /bits=64", "key nonce x"]
)
def test_sizes_out_of_range(meshman: Any, words: str) -> None:
    assert meshman(words).code == 2


def test_earl(meshman: Any) -> None:
    key, identifier = meshman("key earl").lines
    assert identifier == earl.content_id(key)
    assert len(identifier.replace("-", "")) == 56
    key, identifier, locator, location = meshman("key earl Example.com").lines
    assert locator == f"udf://example.com/{key}"
    assert location == f"https://example.com/.well-known/mmm-udf/{identifier}"
    assert meshman(["key", "location", locator]).lines == [location]
    assert meshman(f"key location udf:{key}").code == 1


def test_share_and_recover(meshman: Any) -> None:
    key, identifier, *shares = meshman("key share").lines
    assert (key[0], identifier, len(shares)) == ("E", earl.content_id(key), 3)
    for chosen in itertools.permutations(shares, 2):
        run = meshman(["key", "recover", *chosen])
        assert (run.code, run.lines) == (0, [key])
        assert run.err.startswith("Unverified")
        run = meshman(["key", "recover", *chosen, f"/expect={identifier}"])
        assert (run.code, run.out, run.err) == (0, f"{key}\n", "")


def test_published_shares(meshman: Any) -> None:
    found = meshman(["key", "recover", *SHARES, "/json"]).json()["ResultKey"]
    assert (found["Key"], found["Verified"]) == (KEY, False)
    assert meshman(["key", "recover", *SHARES, "/expect", found["Identifier"]]).code == 0


def test_quorum_of_three_of_five(meshman: Any) -> None:
    answer = meshman("key share /quorum=3 /shares=5 /bits=256 /json").json()["ResultKey"]
    shares = answer["Shares"]
    assert len(shares) == 5
    for chosen in itertools.combinations(shares, 3):
        run = meshman(["key", "recover", *chosen, "/expect", answer["Identifier"]])
        assert run.lines == [answer["Key"]]
    run = meshman(["key", "recover", *shares[:2]])
    assert (run.code, run.out, run.err) == (1, "", "ERROR - 2 shares are too few, 3 are needed.\n")


def test_sharing_a_secret_again_gives_other_shares(meshman: Any) -> None:
    first, second = (meshman(f"key share {KEY}").lines for _ in range(2))
    assert first[:2] == second[:2]
    assert first[0] == KEY
    assert first[2:] != second[2:]
    assert meshman(["key", "recover", first[2], second[3], "/expect", first[1]]).code == 1


def test_seeds_and_standard_input(meshman: Any) -> None:
    seed = derive.new_seed(derive.PROFILE_ACCOUNT, os.urandom)
    lines = meshman("key share -", input=seed + "\n").lines
    account = derive.derive_key(seed, "CompleteAccountProfile").public.udf
    assert lines[:2] == [seed, account]
    run = meshman(f"key recover - /expect={account}", input="\n".join(lines[3:]))
    assert (run.code, run.lines) == (0, [seed])


def test_wrong_shares_give_no_secret(meshman: Any) -> None:
    _, identifier, first, second, _ = meshman("key share").lines
    other = meshman("key share").lines[3]
    damaged = second[:-6] + ("A" if second[-6] != "A" else "B") + second[-5:]
    for pair in ([first, other], [first, damaged], [first, first]):
        run = meshman(["key", "recover", *pair, f"/expect={identifier}"])
        assert run.code == 1
        assert run.out == ""
    assert meshman(["key", "recover", first, second, other]).code == 1


@pytest.mark.parametrize(
    "words",
    ["key share /quorum=4", "key share /shares=16", "key share /quorum=1", "key recover", "key share a b"],
)
def test_wrong_usage(meshman: Any, words: str) -> None:
    assert meshman(words).code == 2


@pytest.mark.parametrize("secret", ["NAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAA", "EAAA-AAAA", "not a key"])
def test_what_cannot_be_shared(meshman: Any, secret: str) -> None:
    run = meshman(["key", "share", secret])
    assert run.code == 1
    assert run.err.startswith("ERROR - ")


def test_recovery_record(meshman: Any, tmp_path: Path) -> None:
    """Sealed under a master secret, kept under its identifier, opened again from a quorum of shares."""
    answer = meshman("key share /record TestFile1.txt /publish=www /json").json()["ResultKey"]
    path = Path(answer["Record"])
    assert path == Path("www/.well-known/mmm-udf") / answer["Identifier"]
    assert b"This is a test" not in path.read_bytes()
    shares = answer["Shares"]
    run = meshman(["key", "recover", shares[2], shares[0], "/record=www", "/out=again.txt"])
    assert (run.code, run.lines) == (0, [answer["Key"], "again.txt: 14 bytes"])
    assert (tmp_path / "again.txt").read_text() == "This is a test"
    assert (tmp_path / "again.txt").stat().st_mode & 0o777 == 0o600
    found = meshman(["key", "recover", *shares[:2], "/record", str(path), "/out=b.txt", "/json"]).json()
    assert found["ResultKey"]["Verified"] is True
    run = meshman(["key", "recover", *shares[:2], "/record=www", "/out=again.txt"])
    assert (run.code, run.err) == (
        1,
        "ERROR - again.txt exists already; name another file, or replace it with /force.\n",
    )


def test_a_record_that_others_or_wrong_shares_would_open(meshman: Any, tmp_path: Path) -> None:
    first = meshman("key share /record TestFile1.txt /publish=www /json").json()["ResultKey"]
    second = meshman("key share /record TestFile1.txt /publish=www /json").json()["ResultKey"]
    mixed = [first["Shares"][0], second["Shares"][1]]
    for shares, where in ((mixed, "www"), (mixed, first["Record"]), (second["Shares"], first["Record"])):
        run = meshman(["key", "recover", *shares, f"/record={where}", "/out=out.txt"])
        assert run.code == 1
        assert run.out == ""
    record = Path(first["Record"])
    value = json.loads(record.read_bytes())
    value[1] = value[1][:-3] + ("AAA" if value[1][-3:] != "AAA" else "BBB")
    record.write_bytes(json.dumps(value).encode())
    assert meshman(["key", "recover", *first["Shares"], "/record=www", "/out=out.txt"]).code == 1
    assert not (tmp_path / "out.txt").exists()
    assert meshman(["key", "recover", *first["Shares"], "/record=www"]).code == 2
    assert meshman(["key", "recover", *first["Shares"], "/out=out.txt"]).code == 2


def test_qr(meshman: Any, tmp_path: Path) -> None:
    assert "█" in meshman(f"key qr {KEY}").out
    run = meshman(f"key qr mcu://maker@example.com/{KEY} /file=code.svg")
    assert run.lines == ["File=code.svg"]
    assert (tmp_path / "code.svg").read_bytes().startswith(b"<?xml")
    assert meshman("key qr - /json", input=KEY).json()["ResultCode"]["Text"] == KEY
    assert meshman("key qr hello").code == 1
    assert meshman(f"key qr {KEY} /file=code.gif").code == 1


def test_seal_and_unseal_without_hardware(
    meshman: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    KeyFile.create(tmp_path / "keys.json", Keys.fresh(os.urandom, datetime.now(UTC)))
    FileKeyring(tmp_path / "ring.json").add_symmetric(bytes(16))
    for name in ("keys.json", "ring.json"):
        before = (tmp_path / name).read_bytes()
        run = meshman(f"key seal {name} /with=tpm2")
        assert run.code == 1
        assert run.err.startswith("ERROR - No TPM can be used here: install tpm2-tools")
        assert meshman(f"key unseal {name}").err == f"ERROR - {name} is not sealed.\n"
        assert (tmp_path / name).read_bytes() == before
    assert meshman("key seal absent").code == 2
    assert meshman("key seal keys.json /with=paper").code == 2
    assert meshman("key seal TestFile1.txt").code == 1


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Python's own web server on the folder `www`: any server will do."""
    www = tmp_path / "www"
    www.mkdir()
    handler = partial(SimpleHTTPRequestHandler, directory=str(www))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}{earl.WELL_KNOWN}"
        listening.shutdown()
        thread.join()


def test_resolve(meshman: Any, tmp_path: Path, server: str) -> None:
    key = meshman("key share /record TestFile1.txt /publish=www").lines[0]
    locator = f"udf://example.com/{key}"
    run = meshman(["key", "resolve", locator, "out.txt", f"/endpoint={server}"])
    assert (run.code, run.lines) == (0, ["out.txt: 14 bytes"])
    assert (tmp_path / "out.txt").read_text() == "This is a test"
    assert meshman(["key", "resolve", locator, "out.txt", f"/endpoint={server}"]).code == 1
    other = f"udf://example.com/{KEY}"
    run = meshman(["key", "resolve", other, "b.txt", f"/endpoint={server}", "/json"])
    assert run.code == 1
    assert "nothing under this locator" in run.json()["Result"]["Reason"]
    assert not (tmp_path / "b.txt").exists()
    for wrong in ("udf:" + KEY, "alice@example.com", "mcu://a@example.com/" + KEY):
        assert meshman(["key", "resolve", wrong, "b.txt"]).code == 1
    assert meshman(["key", "resolve", locator, "b.txt", "/endpoint=http://example.com/"]).code == 1


def test_resolve_a_strong_name(meshman: Any, tmp_path: Path, server: str) -> None:
    _, name = parse_locator(publish_document(tmp_path / "www", "example.com", b"{}", "application/json"))
    address = uri.sin_address("alice", "example.com", name, True)
    assert meshman(["key", "resolve", address, "policy.json", f"/endpoint={server}"]).code == 0
    assert (tmp_path / "policy.json").read_bytes() == b"{}"
