import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mathmesh.errors import EncodingError, VerificationError
from mathmesh.schema.key_data import KeyData
from meshclient.applications import smime

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

NOW = datetime.now(UTC)
ADDRESS = "alice@example.com"


def openssl(*words: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[KeyData, Path, Path]]:
    folder = tmp_path_factory.mktemp("smime")
    made = {}
    for use in (smime.SIGN, smime.ENCRYPT):
        data = KeyData.decode(smime.make_key(ADDRESS, use, NOW, bits=2048).encode())
        certificate, private = folder / f"{use}.crt", folder / f"{use}.key"
        certificate.write_text(smime.certificate_pem(data))
        private.write_text(smime.private_pem(data))
        made[use] = (data, certificate, private)
    return made


def test_openssl_signs_and_verifies(keys: dict[str, tuple[KeyData, Path, Path]]) -> None:
    _, certificate, private = keys[smime.SIGN]
    signed = openssl("cms", "-sign", "-signer", certificate, "-inkey", private, given=b"text\n")
    opened = openssl("cms", "-verify", "-purpose", "smimesign", "-CAfile", certificate, given=signed)
    assert opened.replace(b"\r\n", b"\n") == b"text\n"


def test_openssl_encrypts_and_decrypts(keys: dict[str, tuple[KeyData, Path, Path]]) -> None:
    _, certificate, private = keys[smime.ENCRYPT]
    sealed = openssl("cms", "-encrypt", "-aes256", certificate, given=b"text\n")
    assert b"text" not in sealed
    assert (
        openssl("cms", "-decrypt", "-recip", certificate, "-inkey", private, given=sealed).strip() == b"text"
    )


def test_each_certificate_is_for_its_use_only(keys: dict[str, tuple[KeyData, Path, Path]]) -> None:
    for use, expected in ((smime.SIGN, "Digital Signature"), (smime.ENCRYPT, "Key Encipherment")):
        text = openssl("x509", "-noout", "-text", "-in", keys[use][1]).decode()
        assert expected in text
        assert f"email:{ADDRESS}" in text
        assert "CA:FALSE" in text
    assert "Key Encipherment" not in openssl("x509", "-noout", "-text", "-in", keys[smime.SIGN][1]).decode()


def test_mail_programs_import_pkcs12(keys: dict[str, tuple[KeyData, Path, Path]], tmp_path: Path) -> None:
    path = tmp_path / "alice.p12"
    path.write_bytes(smime.pkcs12_file(keys[smime.SIGN][0], ADDRESS, "a password"))
    shown = openssl("pkcs12", "-in", path, "-passin", "pass:a password", "-nodes")
    assert b"BEGIN PRIVATE KEY" in shown
    assert b"BEGIN CERTIFICATE" in shown
    with pytest.raises(EncodingError):
        smime.pkcs12_file(keys[smime.SIGN][0], ADDRESS, "")


def test_an_authority_certifies_the_key(keys: dict[str, tuple[KeyData, Path, Path]], tmp_path: Path) -> None:
    data = keys[smime.SIGN][0]
    authority, secret = tmp_path / "ca.crt", tmp_path / "ca.key"
    new = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Authority", "-days", "9")
    openssl(*new, "-keyout", secret, "-out", authority)
    request = tmp_path / "request.pem"
    request.write_text(smime.request_pem(data, ADDRESS))
    sign = ("x509", "-req", "-in", request, "-CA", authority, "-CAkey", secret, "-days", "9")
    pem = openssl(*sign, "-copy_extensions", "copy")
    certified = smime.with_certificate(data, ADDRESS, pem + authority.read_bytes())
    assert certified.udf == data.udf
    assert certified.x509_chain is not None
    assert certified.not_on_or_after is not None
    (tmp_path / "signer.crt").write_text(smime.certificate_pem(certified))
    openssl("verify", "-CAfile", authority, tmp_path / "signer.crt")
    with pytest.raises(VerificationError, match="another key"):
        smime.with_certificate(keys[smime.ENCRYPT][0], ADDRESS, pem)
    with pytest.raises(VerificationError, match="not for bob"):
        smime.with_certificate(data, "bob@example.com", pem)
    for junk in (b"", b"junk", authority.read_bytes()):
        with pytest.raises(EncodingError):
            smime.with_certificate(data, ADDRESS, junk)


def test_numbers_that_do_not_belong_together(keys: dict[str, tuple[KeyData, Path, Path]]) -> None:
    data, other = keys[smime.SIGN][0], keys[smime.ENCRYPT][0]
    assert data.private_parameters is not None
    assert other.private_parameters is not None
    members = data.private_parameters[smime.PRIVATE]
    with pytest.raises(VerificationError):
        smime.private_pem(replace(data, private_parameters=other.private_parameters))
    for name, value in (
        ("d", other.private_parameters[smime.PRIVATE]["d"]),
        ("p", "AQ"),
        ("n", "AQ"),
        ("q", 5),
    ):
        changed = {smime.PRIVATE: {**members, name: value}}
        with pytest.raises((VerificationError, EncodingError)):
            smime.private_pem(replace(data, private_parameters=changed))
    with pytest.raises(EncodingError):
        smime.private_pem(replace(data, private_parameters=None))
    with pytest.raises(EncodingError):
        smime.certificate_pem(replace(data, x509_certificate=b"junk"))
    with pytest.raises(EncodingError):
        smime.certificate_pem(replace(data, x509_certificate=None))


def test_an_address_that_no_certificate_holds() -> None:
    with pytest.raises(EncodingError):
        smime.make_key("alice@exämple.com", smime.SIGN, NOW, bits=2048)
