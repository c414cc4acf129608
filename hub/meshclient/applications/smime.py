"""S/MIME keys of a mail account: RSA keys with certificates (RFC 8550), in PEM and PKCS #12.

The only user of the library `cryptography` in this package: the core has neither RSA nor certificates, which
nothing of the Mesh needs. The keys travel in KeyData as `PublicKeyRSA` and `PrivateKeyRSA` with the members
of RFC 7518 §6.3, the certificate as X509Certificate. A certificate signed by its own key is what an account
begins with; one of an authority takes its place by `with_certificate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mathmesh.codec import b64
from mathmesh.errors import EncodingError, VerificationError
from mathmesh.keys import fingerprint
from mathmesh.schema.key_data import KeyData

PUBLIC, PRIVATE = "PublicKeyRSA", "PrivateKeyRSA"
KEY_BITS = 3072
MINIMUM_BITS, MAXIMUM_BITS = 2048, 8192
LIFETIME = timedelta(days=3 * 365)
SIGN, ENCRYPT = "sign", "encrypt"

_EXPONENT = 65537
_PRIVATE_MEMBERS = ("n", "e", "d", "p", "q", "dp", "dq", "qi")


def make_key(address: str, use: str, now: datetime, *, bits: int = KEY_BITS) -> KeyData:
    """A fresh private key with its public parameters and its certificate for `address`.

    `use` is SIGN or ENCRYPT. The randomness is the library's own.
    """
    key = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=bits)
    numbers = key.private_numbers()
    values = (
        *(numbers.public_numbers.n, numbers.public_numbers.e, numbers.d, numbers.p, numbers.q),
        *(numbers.dmp1, numbers.dmq1, numbers.iqmp),
    )
    begin = now.replace(microsecond=0)
    certificate = _certificate(key, address, use, begin, begin + LIFETIME)
    return KeyData(
        udf=_udf(numbers.public_numbers),
        not_before=begin,
        not_on_or_after=begin + LIFETIME,
        x509_certificate=certificate.public_bytes(serialization.Encoding.DER),
        public_parameters={PUBLIC: {"n": _text(numbers.public_numbers.n), "e": _text(_EXPONENT)}},
        private_parameters={PRIVATE: dict(zip(_PRIVATE_MEMBERS, map(_text, values), strict=True))},
    )


def certificate_pem(data: KeyData) -> str:
    """The certificate of a key."""
    return _loaded_certificate(data).public_bytes(serialization.Encoding.PEM).decode()


def certificate_facts(data: KeyData) -> tuple[str, str, datetime]:
    """Of the certificate of a key its issuer, its SHA-256 fingerprint in hexadecimal digits, and its end."""
    certificate = _loaded_certificate(data)
    issuer = certificate.issuer.rfc4514_string()
    return issuer, certificate.fingerprint(hashes.SHA256()).hex().upper(), certificate.not_valid_after_utc


def private_pem(data: KeyData) -> str:
    """The private key in PKCS #8, readable by whoever has the text."""
    return (
        _private(data)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def pkcs12_file(data: KeyData, name: str, password: str) -> bytes:
    """Key and certificate as mail programs import them, encrypted under `password`."""
    if not password:
        raise EncodingError("a PKCS #12 file needs a password")
    protection = serialization.BestAvailableEncryption(password.encode())
    chain = [x509.load_der_x509_certificate(one) for one in data.x509_chain or ()]
    return pkcs12.serialize_key_and_certificates(
        name.encode(), _private(data), _loaded_certificate(data), chain or None, protection
    )


def request_pem(data: KeyData, address: str) -> str:
    """A request for a certificate of an authority (PKCS #10)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(address))
    builder = builder.add_extension(_alternative_name(address), critical=False)
    request = builder.sign(_private(data), hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def with_certificate(data: KeyData, address: str, pem: bytes) -> KeyData:
    """`data` with the certificates in `pem`, its own first and the chain behind it.

    Raises VerificationError when the first one is not for this key and this address.
    """
    try:
        first, *chain = x509.load_pem_x509_certificates(pem)
        names = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        raise EncodingError("the file holds no certificate for mail") from None
    public = first.public_key()
    if not isinstance(public, rsa.RSAPublicKey) or _udf(public.public_numbers()) != data.udf:
        raise VerificationError("the certificate is for another key")
    if address.lower() not in [one.lower() for one in names.get_values_for_type(x509.RFC822Name)]:
        raise VerificationError(f"the certificate is not for {address}")
    return replace(
        data,
        x509_certificate=first.public_bytes(serialization.Encoding.DER),
        x509_chain=tuple(one.public_bytes(serialization.Encoding.DER) for one in chain) or None,
        not_before=first.not_valid_before_utc,
        not_on_or_after=first.not_valid_after_utc,
    )


def _certificate(
    key: rsa.RSAPrivateKey, address: str, use: str, begin: datetime, end: datetime
) -> x509.Certificate:
    name = _name(address)
    usage = x509.KeyUsage(
        digital_signature=use == SIGN,
        content_commitment=use == SIGN,
        key_encipherment=use == ENCRYPT,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False),
        (_alternative_name(address), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    )
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(begin).not_valid_after(end)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def _name(address: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address[:64])])


def _alternative_name(address: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.RFC822Name(address)])
    except ValueError:
        raise EncodingError(f"{address} cannot stand in a certificate: write its domain in ASCII") from None


def _private(data: KeyData) -> rsa.RSAPrivateKey:
    members = _members(data.private_parameters, PRIVATE)
    n, e, d, p, q, dp, dq, qi = (_number(members, name) for name in _PRIVATE_MEMBERS)
    public = rsa.RSAPublicNumbers(e, n)
    if not MINIMUM_BITS <= n.bit_length() <= MAXIMUM_BITS:
        raise EncodingError("an RSA key has 2048 to 8192 bits")
    try:
        key = rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()
    except ValueError:
        raise VerificationError("the numbers of an RSA key do not belong together") from None
    if _udf(public) != data.udf:
        raise VerificationError(f"an RSA key that calls itself {data.udf} is another one")
    return key


def _loaded_certificate(data: KeyData) -> x509.Certificate:
    if data.x509_certificate is None:
        raise EncodingError("the key has no certificate")
    try:
        return x509.load_der_x509_certificate(data.x509_certificate)
    except ValueError:
        raise EncodingError("the certificate of the key is malformed") from None


def _udf(numbers: rsa.RSAPublicNumbers) -> str:
    return fingerprint.info_udf(fingerprint.rsa_key_info(numbers.n, numbers.e))


def _members(parameters: Mapping[str, Any] | None, tag: str) -> Mapping[str, Any]:
    members = (parameters or {}).get(tag)
    if not isinstance(members, Mapping):
        raise EncodingError("the key is no RSA key")
    return members


def _text(value: int) -> str:
    return b64.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _number(members: Mapping[str, Any], name: str) -> int:
    value = members.get(name)
    if not isinstance(value, str):
        raise EncodingError(f"an RSA key lacks the member {name}")
    return int.from_bytes(b64.decode(value), "big")
