"""The outputs that the reference's page on `hash` prints, for a file with the text `This is a test`."""

from typing import Any

import pytest

KEY = "NDXX-MFCD-5YYF-VHJF-JTIG-SJY5-HMBU"
MISMATCH = "ERROR - The calculated fingerprint did not match the expected value.\n"

PRINTED = [
    ("hash udf TestFile1.txt", "MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R"),
    ("hash udf TestFile1.txt /cty=application/binary", "MDBI-EE4Z-7NSH-SYBU-JHYL-JTGH-QQEZ"),
    ("hash udf TestFile1.txt /alg=sha3", "KCYH-QB5Y-XZ6U-SXN2-WV63-AM4U-ZZIT"),
    ("hash udf /alg sha3 TestFile1.txt --cty application/binary", "KDTG-XEIH-6LJ2-BDO6-6EPH-G65G-6DN5"),
    ("hash udf TestFile1.txt /bits=200", "MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R-NYJQ-SWWT-UNJM"),
    ("hash udf --bits=181 TestFile1.txt", "MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R-NYJQ-SWWT-UNJM"),
    ("hash udf TestFile1.txt /expect=MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R", "True"),
    ("hash udf TestFile1.txt /expect=mdligx2c3oqbbvwirexyeb56jg4rnyjqswwt", "True"),
    (
        "hash digest TestFile1.txt",
        "A028D4F74B602BA45EB0A93C9A4677240DCF281A1A9322F183BD32F0BED82EC7"
        "2DE9C3957B2F4C9A1CCF7ED14F85D73498DF38017E703D47EBB9F0B3BF116F69",
    ),
    (
        "hash digest TestFile1.txt /alg=sha256",
        "C7BE1ED902FB8DD4D48997C6452F5D7E509FBCDBE2808B16BCF4EDCE4C07D14E",
    ),
    (
        "hash digest TestFile1.txt /alg=sha3256",
        "3C3B66EDCFE51F5B15BF372F61E25710FFC1AD3C0E3C60D832B42053A96772CF",
    ),
    (
        "hash digest /ALG=SHA3 TestFile1.txt",
        "CE548503582D94B17898E45B1B641E97BE64DC23947890E8F5199E474819E7F9"
        "4B5A0D55B41D2CCC01D0C37C978F1F2523BD294B7E282E36E20C39C84CC2730E",
    ),
    (f"hash mac TestFile1.txt /key={KEY}", f"ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV\n{KEY}"),
    (f"hash mac TestFile1.txt /key={KEY} /expect=ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV", "True"),
]


@pytest.mark.parametrize(("words", "printed"), PRINTED)
def test_as_printed(meshman: Any, words: str, printed: str) -> None:
    run = meshman(words)
    assert (run.code, run.out, run.err) == (0, printed + "\n", "")


@pytest.mark.parametrize(
    "words",
    [
        "hash udf TestFile1.txt /expect=MDBI-EE4Z-7NSH-SYBU-JHYL-JTGH-QQEZ",
        "hash udf TestFile1.txt /expect=MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4S",
        "hash udf TestFile1.txt /expect=KDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R",
        "hash digest TestFile1.txt /expect=A028",
        f"hash mac TestFile1.txt /key={KEY} /expect=MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R",
        f"hash mac TestFile1.txt /key={KEY}A /expect=ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV",
        f"hash mac TestFile1.txt /alg=sha3 /key={KEY} /expect=ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV",
    ],
)
def test_another_value_is_an_error(meshman: Any, words: str) -> None:
    run = meshman(words)
    assert (run.code, run.out, run.err) == (1, "", MISMATCH)
    refused = meshman(words + " /json")
    assert refused.code == 1
    assert refused.json() == {"Result": {"Success": False, "Reason": MISMATCH[8:-1]}}


def test_a_short_expected_value_proves_nothing(meshman: Any) -> None:
    run = meshman("hash udf TestFile1.txt /expect=MDLI-GX2C")
    assert run.code == 1
    assert "too few" in run.err


def test_json(meshman: Any) -> None:
    expected = {"ResultDigest": {"Success": True, "Digest": "MDLI-GX2C-3OQB-BVWI-REXY-EB56-JG4R"}}
    assert meshman("hash udf TestFile1.txt /json").json() == expected
    made = meshman("/json hash mac TestFile1.txt").json()["ResultDigest"]
    again = meshman(f"hash mac TestFile1.txt /key={made['Key']} /expect={made['Digest']} --json").json()
    assert again == {"ResultDigest": {"Success": True, "Digest": made["Digest"], "Verified": True}}


def test_a_new_key_for_every_commitment(meshman: Any) -> None:
    first, second = (meshman("hash mac TestFile1.txt").lines for _ in range(2))
    assert all(text.startswith(letter) for text, letter in zip(first, "AN", strict=True))
    assert first[1] != second[1]
    assert first[0] != second[0]


@pytest.mark.parametrize(
    "words",
    [
        "hash udf",
        "hash udf TestFile1.txt /bits=99",
        "hash udf TestFile1.txt /bits=441",
        "hash udf TestFile1.txt /alg=md5",
        "hash udf TestFile1.txt /expect=F0",
        "hash mac TestFile1.txt /expect=ACPD-YVPX-VMBP-7VAM-RCUP-NAG6-LLYV",
    ],
)
def test_wrong_usage(meshman: Any, words: str) -> None:
    run = meshman(words)
    assert run.code == 2
    assert "/help` tells more." in run.err


def test_a_missing_file(meshman: Any) -> None:
    run = meshman("hash udf absent.txt")
    assert (run.code, run.out, run.err) == (1, "", "ERROR - absent.txt: No such file or directory.\n")
