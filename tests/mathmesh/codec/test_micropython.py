"""The codecs under the real MicroPython: same source, same vectors, same refusals."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mathmesh.codec import b64, jsonbcd

CHECKOUT = Path(__file__).resolve().parents[3]
MICROPYTHON = shutil.which("micropython", path=Path(sys.executable).parent) or shutil.which("micropython")

pytestmark = pytest.mark.skipif(MICROPYTHON is None, reason="no MicroPython wheel for this machine")

PROGRAM = """
import sys, json
sys.path.insert(0, sys.argv[1])
from mathmesh.codec import base32, b64, udf, uri, jsonbcd, json_writer
from mathmesh.errors import EncodingError

def refused(function, value):
    try:
        function(value)
    except EncodingError:
        return True
    return False

cases = json.loads(sys.stdin.read())
out = {}
out["udf"] = [[udf.text(c, bytes.fromhex(d)), udf.parse(udf.text(c, bytes.fromhex(d)))[1].hex()]
              for c, d in cases["udf"]]
out["present"] = [udf.present(bytes.fromhex(d), bits) for d, bits in cases["present"]]
out["base32"] = [base32.encode(base32.decode(text)) for text in cases["base32"]]
out["b64"] = [b64.encode(b64.decode(text)) for text in cases["b64"]]
out["mcu"] = [list(uri.parse_mcu(text)) for text in cases["mcu"]]
out["binary"] = [jsonbcd.dumps(jsonbcd.loads(bytes.fromhex(item))).decode() for item in cases["binary"]]
out["shortest"] = [jsonbcd.dumps_b(value).hex() for value in cases["values"]]
out["compressed"] = [jsonbcd.dumps_c(value).hex() for value in cases["values"]]
out["text"] = [jsonbcd.loads(jsonbcd.dumps(value)) == value for value in cases["values"]]
out["refused"] = [refused(jsonbcd.loads, bytes.fromhex(item)) for item in cases["malformed"]]
out["refused"] += [refused(udf.parse, text) for text in cases["no udf"]]
out["refused"] += [refused(uri.parse_mcu, text) for text in cases["no mcu"]]
out["refused"] += [refused(b64.decode, text) for text in cases["no b64"]]
print(json.dumps(out))
"""

KEY = "EDRL-4MZP-3OUD-OZBS-SPZN-7OSO-OM"
VALUES = [
    0,
    1,
    255,
    256,
    65536,
    2**32,
    2**63,
    -1,
    -300,
    2**64,
    -(2**100),
    "",
    "é€😀",
    'a"\\\n\x01',
    True,
    None,
]
STRUCTURES = [[1, [2, "3"], {}], {"a": [1.5, -2.0]}, [{"Signature": "S512"}, {"Signature": "S512"}]]
DATA = bytes(range(251))


@pytest.fixture(scope="module")
def answers() -> dict[str, object]:
    cases = {
        "udf": [[104, DATA[:16].hex()], [200, DATA[:34].hex()], [96, DATA[:64].hex()]],
        "present": [[DATA[1:65].hex(), bits] for bits in (20, 100, 140, 440, 600)],
        "base32": ["MZXW6YTB", "MZ", "77777777"],
        "b64": [b64.encode(DATA), "AQ\n  ID", ""],
        "mcu": [f"mcu://maker@example.com/{KEY}", f"MCU://Maker@Example.COM/{KEY.lower()}"],
        "binary": [
            *("a02a", "a9012c", "840548656c6c6f8000", "8c020102880103", "92400921fb54442eea", "903c00", "b0"),
            *("5bc820800548656c6c6fc020c100205d", "7b226122 3a a001 7d".replace(" ", ""), "a700012a"),
        ],
        "values": [*VALUES, *STRUCTURES],
        "malformed": [
            *("a3ff", "80ff41", "840141", "ef", "c020", "8401418801ff", "8001ff", ""),
            *(
                text.encode().hex()
                for text in ('{"a":1,"a":2}', "[1 2]", "[1,]", "01", "nan", "1e999", '"\\ud800"')
            ),
            *("943fff" + "00" * 14, "9632800001", "927ff0000000000000"),
            *("5b" * 65 + "5d" * 65, b"1 1".hex(), b'"\n"'.hex(), b'"\xff"'.hex()),
        ],
        "no udf": ["", "EA", "EDRL-4MZ0", "EDRL_4MZP", "FAAA-AAAA", "EDRLß"],
        "no mcu": [f"mcu://example.com/{KEY}", f"mcu://a@b:80/{KEY}", "mcu://a@b", f"mcu://a@b/{KEY}?q"],
        "no b64": ["AQ==", "A", "AR", "AQ+/", "AÄAA"],
    }
    assert MICROPYTHON is not None
    done = subprocess.run(
        [MICROPYTHON, "-X", "heapsize=192k", "-c", PROGRAM, str(CHECKOUT / "hub")],
        input=json.dumps(cases, ensure_ascii=False),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_udf(answers: dict[str, object]) -> None:
    from mathmesh.codec import udf

    assert answers["udf"] == [
        [udf.text(104, DATA[:16]), DATA[:16].hex()],
        [udf.text(200, DATA[:34]), DATA[:34].hex()],
        [udf.text(96, DATA[:64]), DATA[:64].hex()],
    ]
    assert answers["present"] == [udf.present(DATA[1:65], bits) for bits in (20, 100, 140, 440, 600)]


def test_base32_and_b64(answers: dict[str, object]) -> None:
    assert answers["base32"] == ["MZXW6YTB", "MY", "77777777"]
    assert answers["b64"] == [b64.encode(DATA), "AQID", ""]


def test_connect_uri(answers: dict[str, object]) -> None:
    assert answers["mcu"] == [["maker@example.com", KEY]] * 2


def test_json_b(answers: dict[str, object]) -> None:
    read = [json.loads(text) for text in answers["binary"]]  # type: ignore[attr-defined]
    assert read == [42, -300, "Hello", "AQID", 3.14159265359, 1.0, True, ["Hello"] * 3, {"a": 1}, 42]
    values = [*VALUES, *STRUCTURES]
    assert answers["compressed"] == [jsonbcd.dumps_c(value).hex() for value in values]
    assert answers["shortest"] == [jsonbcd.dumps_b(value).hex() for value in values]
    assert answers["text"] == [True] * len(values)


def test_refusals(answers: dict[str, object]) -> None:
    refused = answers["refused"]
    assert refused == [True] * 37
