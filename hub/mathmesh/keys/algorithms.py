"""The four curves of the Mesh with their numbers (RFC 7748, RFC 8032, draft-hallambaker-mesh-udf §6)."""

from dataclasses import dataclass

from mathmesh.errors import EncodingError

_ORDER_25519 = 2**252 + 27742317777372353535851937790883648493
_ORDER_448 = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One algorithm; sizes in octets.

    `public_size` is what we publish for keys derived from a seed. `public_sizes` is what we read: an
    agreement key with one octet more than its u coordinate ends in the sign of v, 0x80 when v is odd.
    """

    name: str
    seed_code: int
    oid: int
    """Last octet of the object identifier 1.3.101.x."""
    private_size: int
    """Octets drawn from a seed. Ed448 takes 56, one less than RFC 8032."""
    scalar_size: int
    public_size: int
    public_sizes: tuple[int, ...]
    order: int
    cofactor: int
    signs: bool
    """Signature algorithm if true, else key agreement."""


X25519 = Curve(
    name="X25519",
    seed_code=1,
    oid=0x6E,
    private_size=32,
    scalar_size=32,
    public_size=32,
    public_sizes=(32, 33),
    order=_ORDER_25519,
    cofactor=8,
    signs=False,
)
X448 = Curve(
    name="X448",
    seed_code=2,
    oid=0x6F,
    private_size=56,
    scalar_size=56,
    public_size=57,
    public_sizes=(56, 57),
    order=_ORDER_448,
    cofactor=4,
    signs=False,
)
ED25519 = Curve(
    name="Ed25519",
    seed_code=3,
    oid=0x70,
    private_size=32,
    scalar_size=32,
    public_size=32,
    public_sizes=(32,),
    order=_ORDER_25519,
    cofactor=8,
    signs=True,
)
ED448 = Curve(
    name="Ed448",
    seed_code=4,
    oid=0x71,
    private_size=56,
    scalar_size=56,
    public_size=57,
    public_sizes=(57,),
    order=_ORDER_448,
    cofactor=4,
    signs=True,
)

CURVES = {curve.name: curve for curve in (X25519, X448, ED25519, ED448)}
BY_SEED_CODE = {curve.seed_code: curve for curve in CURVES.values()}


def curve(name: str) -> Curve:
    """The curve that a `crv` member names; raises EncodingError for any other."""
    found = CURVES.get(name)
    if found is None:
        raise EncodingError(f"no such curve: {name!r}; known are {', '.join(CURVES)}")
    return found
