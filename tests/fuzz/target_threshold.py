"""What parties of a threshold key send one another: operations, results, shares, points, commitments."""

import random
from collections.abc import Iterable

from mathmesh.codec import jsonbcd
from mathmesh.errors import MeshError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import frost, split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.commitment import Commitment, commit
from mathmesh.threshold.key_share import KeyShare
from mathmesh.threshold.operate import KeyAgreementOperation, KeyAgreementResult
from mathmesh.threshold.point import Point, combine
from mathmesh.threshold.signing_share import SigningShare

ENTROPY = random.Random("shares to be damaged").randbytes
CURVES = ("X25519", "Ed25519", "X448", "Ed448")
SHARES = {crv: ShareAgreement(generate(crv, ENTROPY)) for crv in ("X25519", "X448")}
OWN = {crv: Point.decode(crv, generate(crv, ENTROPY).signed_public) for crv in CURVES}
GROUP = PrivateKey.from_scalar("Ed25519", generate("Ed25519", ENTROPY).scalar)
SIGNERS = [SigningShare.of_quorate(part, GROUP.public) for part in split.quorate(GROUP, 2, 2, ENTROPY)]
MESSAGE = b"what is signed"


def seeds() -> Iterable[bytes]:
    """One of each; a point begins with the number of its curve, a commitment with two points."""
    for number, (crv, share) in enumerate(SHARES.items()):
        key = generate(crv, ENTROPY)
        public = PublicKey(crv, key.signed_public)
        operation = KeyAgreementOperation(key_id="M", public_key=public, key_coefficient=number or None)
        yield jsonbcd.dumps(operation.to_json())
        yield jsonbcd.dumps(operation.perform(share).to_json())
        yield jsonbcd.dumps(KeyShare(public_primary=public, share=key, service_address="a@b.c").to_json())
    yield jsonbcd.dumps(KeyAgreementResult(error="no").to_json())
    for number, crv in enumerate(CURVES):
        yield bytes([number]) + OWN[crv].octets
    made = commit(SIGNERS[1], ENTROPY).commitment
    yield b"c" + made.hiding + made.binding


def one(data: bytes) -> None:
    """What is read is written alike; a point is on its curve; no commitment of others makes a signature."""
    if data[:1] == b"{":
        _objects(data)
    elif data[:1] == b"c":
        _commitment(data[1:])
    elif data and data[0] < len(CURVES):
        _point(CURVES[data[0]], data[1:])


def _objects(data: bytes) -> None:
    try:
        value = jsonbcd.loads(data)
    except MeshError:
        return
    if not isinstance(value, dict):
        return
    try:
        operation = KeyAgreementOperation.from_json(value)
        factor = operation.key_coefficient
        order = algorithms.curve(operation.public_key.crv).order
        again = KeyAgreementOperation.from_json(operation.to_json())
        assert again.public_key == operation.public_key
        assert again.key_coefficient == (None if factor is None else factor % order)
        for share in SHARES.values():
            operation.perform(share)
    except MeshError:
        pass
    try:
        result = KeyAgreementResult.from_json(value)
        assert KeyAgreementResult.from_json(result.to_json()) == result
        for own in OWN.values():
            result.complete(own)
    except MeshError:
        pass
    try:
        share = KeyShare.from_json(value)
        assert KeyShare.from_json(share.to_json()).key_id == share.key_id
    except MeshError:
        pass


def _point(crv: str, octets: bytes) -> None:
    try:
        point = Point.decode(crv, octets)
    except MeshError:
        return
    assert len(point.octets) == len(octets)
    assert Point.decode(crv, point.octets) == point
    try:
        combine([point, OWN[crv]])
    except MeshError:
        pass


def _commitment(octets: bytes) -> None:
    nonces = commit(SIGNERS[0], ENTROPY)
    claimed = Commitment(identifier=2, hiding=octets[:32], binding=octets[32:])
    try:
        part = frost.sign_share(SIGNERS[0], nonces, [nonces.commitment, claimed], MESSAGE)
    except MeshError:
        return
    assert len(part) == 32
    try:
        frost.aggregate(GROUP.public, [nonces.commitment, claimed], MESSAGE, {1: part, 2: bytes(32)})
    except MeshError:
        return
    raise AssertionError("a signature without the other signer")
