"""URIs that carry a UDF: Mesh Connect, names, locators and strong internet names (mesh-udf §5, §6).

`mcu://user@domain/KEY` is what a device label or an invitation holds. Its key decides the use: type
MAC a PIN, type ENCRYPTION a device publication, type ENCRYPTION_SIGNATURE a contact.
"""

from mathmesh.codec import udf
from mathmesh.errors import EncodingError

MCU = "mcu://"
NAME = "udf:"
SIN_PREFIX = "mm--"
MAXIMUM_LABEL = 63
MAXIMUM_ACCOUNT = 254

_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_FORBIDDEN_IN_USER = frozenset("@/?#:%[]\\<>\"' \t\r\n")
_MCU_TYPES = (udf.MAC, udf.MAC_SHA3, udf.ENCRYPTION, udf.ENCRYPTION_SIGNATURE)


def parse_mcu(text: str) -> tuple[str, str]:
    """Account address in lower case and canonical key UDF of a Mesh Connect URI.

    Raises EncodingError for another scheme, a malformed account, a port, query or fragment, a key of
    a type that is no key, or the identifier of a key where the key is expected.
    """
    text = text.strip()
    if text[: len(MCU)].lower() != MCU:
        raise EncodingError("Mesh Connect URI must begin with mcu://")
    account, slash, key = text[len(MCU) :].partition("/")
    if not slash:
        raise EncodingError("Mesh Connect URI has no key after the account")
    return account_address(account), _connect_key(key)


def mcu(account: str, key_udf: str) -> str:
    """Mesh Connect URI for an account address and a key UDF, both checked as `parse_mcu` does."""
    return MCU + account_address(account) + "/" + _connect_key(key_udf)


def account_address(text: str) -> str:
    """`text` as an account address `user@domain` in lower case; raises EncodingError when it is none."""
    text = text.lower()
    user, at, domain = text.partition("@")
    if not user or not at or len(text) > MAXIMUM_ACCOUNT:
        raise EncodingError("account address must have the form user@domain")
    for character in user:
        if character in _FORBIDDEN_IN_USER or ord(character) < 33:
            raise EncodingError("account address holds a character that is not allowed in a user name")
    _check_host(domain)
    return text


def udf_name(name: str) -> str:
    """URI `udf:NAME` of a UDF."""
    return NAME + udf.canonical(name)


def udf_locator(authority: str, name: str) -> str:
    """URI `udf://authority/NAME` of a UDF that a domain can resolve."""
    authority = authority.lower()
    _check_host(authority)
    return NAME + "//" + authority + "/" + udf.canonical(name)


def parse_udf_uri(text: str) -> tuple[str, str, str, str]:
    """Authority (empty for a name), canonical UDF, query and fragment of a `udf:` URI."""
    if text[: len(NAME)].lower() != NAME:
        raise EncodingError("UDF URI must begin with udf:")
    rest, _, fragment = text[len(NAME) :].partition("#")
    rest, _, query = rest.partition("?")
    authority = ""
    if rest.startswith("//"):
        authority, _, rest = rest[2:].partition("/")
        authority = authority.lower()
        _check_host(authority)
    return authority, udf.canonical(rest), query, fragment


def sin_address(user: str, domain: str, digest_udf: str, compatible: bool) -> str:
    """Strong internet name: `user@mm--UDF.domain` for every client, else `user@domain.mm--UDF`."""
    label = SIN_PREFIX + udf.canonical(digest_udf).lower()
    _check_digest(digest_udf)
    if len(label) > MAXIMUM_LABEL:
        raise EncodingError("UDF is too long for a name label; present it at 240 bits or fewer")
    host = label + "." + domain if compatible else domain + "." + label
    return account_address(user + "@" + host)


def parse_sin_address(text: str) -> tuple[str, str, str, bool]:
    """User, domain, canonical digest UDF and whether the name also works with clients unaware of SINs."""
    user, _, host = account_address(text).partition("@")
    labels = host.split(".")
    compatible = labels[0].startswith(SIN_PREFIX)
    label = labels[0] if compatible else labels[-1]
    if not label.startswith(SIN_PREFIX) or len(labels) < 2:
        raise EncodingError("address holds no mm-- label")
    digest = udf.canonical(label[len(SIN_PREFIX) :])
    _check_digest(digest)
    return user, ".".join(labels[1:] if compatible else labels[:-1]), digest, compatible


def _connect_key(text: str) -> str:
    code, data = udf.parse(text)
    if code not in _MCU_TYPES:
        raise EncodingError("Mesh Connect URI needs a key of type A or E")
    if code == udf.ENCRYPTION and len(data) == 16 and udf.DIGEST <= data[0] <= udf.DIGEST + 4:
        raise EncodingError("Mesh Connect URI holds the identifier of a key instead of the key")
    return udf.canonical(text)


def _check_digest(text: str) -> None:
    code = udf.parse(text)[0]
    if not (udf.DIGEST_SHA3 <= code <= udf.DIGEST_SHA3 + 4 or udf.DIGEST <= code <= udf.DIGEST + 4):
        raise EncodingError("a strong internet name needs a digest UDF")


def _check_host(host: str) -> None:
    for label in host.split("."):
        if not label or len(label) > MAXIMUM_LABEL or label[0] == "-" or label[-1] == "-":
            raise EncodingError("domain name is malformed")
    for character in host:
        if character not in _HOST:
            raise EncodingError("domain name holds a character other than a-z, 0-9, dash and dot")
