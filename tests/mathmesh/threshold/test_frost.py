import copy
import itertools
import os
import pickle
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathmesh.errors import EncodingError, LocalProtocolError, RemoteProtocolError, VerificationError
from mathmesh.keys import algorithms
from mathmesh.keys.pair import PrivateKey, PublicKey, generate
from mathmesh.threshold import frost, sodium, split
from mathmesh.threshold.commitment import Commitment, Nonces, commit
from mathmesh.threshold.frost_suite import suite
from mathmesh.threshold.signing_share import SigningShare

CURVES = ["Ed25519", "Ed448"]
MESSAGE = b"open the gate"


def quorate(crv: str, threshold: int, count: int) -> tuple[PublicKey, list[SigningShare]]:
    key = generate(crv, os.urandom)
    shares = split.quorate(key, threshold, count, os.urandom)
    return key.public, [SigningShare.of_quorate(share, key.public) for share in shares]


def answers(
    signers: Sequence[SigningShare], message: bytes = MESSAGE
) -> tuple[list[Commitment], dict[int, bytes]]:
    nonces = [commit(signer, os.urandom) for signer in signers]
    commitments = [item.commitment for item in nonces]
    parts = {
        signer.identifier: frost.sign_share(signer, item, commitments, message)
        for signer, item in zip(signers, nonces, strict=True)
    }
    return commitments, parts


@pytest.mark.parametrize("crv", CURVES)
def test_any_quorum_signs_as_one(crv: str) -> None:
    group, shares = quorate(crv, 2, 3)
    for signers in [*itertools.permutations(shares, 2), shares]:
        commitments, parts = answers(signers)
        signature = frost.aggregate(group, commitments, MESSAGE, parts)
        group.verify(signature, MESSAGE)
        with pytest.raises(VerificationError):
            group.verify(signature, MESSAGE + b"s")


@pytest.mark.parametrize("crv", CURVES)
@given(message=st.binary(max_size=300), count=st.integers(2, 4))
@settings(max_examples=6, deadline=None)
def test_direct_shares_sign(crv: str, message: bytes, count: int) -> None:
    key = generate(crv, os.urandom)
    halves = split.direct(key, count, os.urandom)
    signers = [
        SigningShare.of_direct(half, number, count, key.public) for number, half in enumerate(halves, start=1)
    ]
    commitments, parts = answers(signers, message)
    key.public.verify(frost.aggregate(key.public, commitments, message, parts), message)


@pytest.mark.parametrize("crv", CURVES)
def test_two_direct_shares_become_a_half_and_an_opposite(crv: str) -> None:
    order = algorithms.curve(crv).order
    key = generate(crv, os.urandom)
    one, two = split.direct(key, 2, os.urandom)
    first, second = (SigningShare.of_direct(s, n, 2, key.public) for s, n in ((one, 1), (two, 2)))
    assert 2 * first.key.scalar % order == one.scalar
    assert (second.key.scalar + two.scalar) % order == 0


@pytest.mark.parametrize("crv", CURVES)
def test_too_few_or_wrong_signers_give_no_signature(crv: str) -> None:
    group, shares = quorate(crv, 3, 4)
    other = quorate(crv, 2, 3)[1]
    for signers in (shares[:2], [shares[0], shares[1], other[2]]):
        if len(signers) == 3:
            signers = [*signers[:2], SigningShare(identifier=3, key=other[2].key, group=group)]
        commitments, parts = answers(signers)
        with pytest.raises(VerificationError):
            frost.aggregate(group, commitments, MESSAGE, parts)


@pytest.mark.parametrize("crv", CURVES)
def test_the_one_to_blame_is_named(crv: str) -> None:
    group, shares = quorate(crv, 2, 3)
    publics = {share.identifier: share.public for share in shares}
    commitments, parts = answers(shares)
    common = frost.session(group, commitments, MESSAGE)
    for share in shares:
        frost.verify_share(common, share.identifier, share.public, parts[share.identifier])
    size = suite(crv).size
    for wrong in (parts[1], bytes(size), bytes(3), b"\xff" * size):
        bad = {**parts, 2: wrong}
        with pytest.raises(VerificationError, match=r"to blame: signer 2$"):
            frost.aggregate(group, commitments, MESSAGE, bad, publics)
        with pytest.raises(VerificationError, match=r"does not hold$"):
            frost.aggregate(group, commitments, MESSAGE, bad)
    with pytest.raises(VerificationError, match="not one of"):
        frost.verify_share(common, 9, shares[0].public, parts[1])


@pytest.mark.parametrize("crv", CURVES)
def test_nonces_sign_once(crv: str) -> None:
    _, shares = quorate(crv, 2, 3)
    nonces = [commit(share, os.urandom) for share in shares[:2]]
    commitments = [item.commitment for item in nonces]
    frost.sign_share(shares[0], nonces[0], commitments, MESSAGE)
    for message in (MESSAGE, b"another"):
        with pytest.raises(LocalProtocolError, match="signed already"):
            frost.sign_share(shares[0], nonces[0], commitments, message)


def test_nonces_are_neither_copied_nor_stored_nor_shown() -> None:
    _, shares = quorate("Ed25519", 2, 3)
    nonces = commit(shares[0], os.urandom)
    for escape in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(LocalProtocolError):
            escape(nonces)
    assert repr(nonces) == "Nonces(of signer 1)"


def test_a_refused_request_leaves_the_nonces() -> None:
    group, shares = quorate("Ed25519", 2, 3)
    one, two = (commit(share, os.urandom) for share in shares[:2])
    with pytest.raises(RemoteProtocolError):
        frost.sign_share(shares[0], one, [one.commitment], MESSAGE)
    commitments = [one.commitment, two.commitment]
    parts = {1: frost.sign_share(shares[0], one, commitments, MESSAGE)}
    parts[2] = frost.sign_share(shares[1], two, commitments, MESSAGE)
    group.verify(frost.aggregate(group, commitments, MESSAGE, parts), MESSAGE)


@pytest.mark.parametrize("crv", CURVES)
def test_commitments_that_are_refused(crv: str) -> None:
    group, shares = quorate(crv, 2, 3)
    own, other = (commit(share, os.urandom) for share in shares[:2])
    good, size = other.commitment, suite(crv).size
    neutral = (1).to_bytes(size, "little")

    def changed(**members: object) -> Commitment:
        values = {"identifier": good.identifier, "hiding": good.hiding, "binding": good.binding, **members}
        return Commitment(**values)  # type: ignore[arg-type]

    for bad in (
        changed(hiding=neutral),
        changed(binding=neutral),
        changed(hiding=bytes(size)),
        changed(binding=good.binding[:-1]),
    ):
        with pytest.raises(VerificationError):
            frost.sign_share(shares[0], own, [own.commitment, bad], MESSAGE)
    for number in (0, 1, suite(crv).order, -1):
        with pytest.raises(RemoteProtocolError):
            frost.session(group, [own.commitment, changed(identifier=number)], MESSAGE)


def test_a_signer_insists_on_its_own_commitment() -> None:
    _, shares = quorate("Ed25519", 2, 3)
    one, two, again = (
        commit(shares[0], os.urandom),
        commit(shares[1], os.urandom),
        commit(shares[0], os.urandom),
    )
    with pytest.raises(LocalProtocolError, match="not in the list"):
        frost.sign_share(shares[0], one, [again.commitment, two.commitment], MESSAGE)
    with pytest.raises(LocalProtocolError, match="not in the list"):
        frost.sign_share(shares[1], one, [one.commitment, two.commitment], MESSAGE)


def test_aggregation_takes_the_parts_of_all_that_committed() -> None:
    group, shares = quorate("Ed25519", 2, 3)
    commitments, parts = answers(shares[:2])
    for other in ({1: parts[1]}, {**parts, 3: parts[1]}):
        with pytest.raises(LocalProtocolError):
            frost.aggregate(group, commitments, MESSAGE, other)


@pytest.mark.parametrize("crv", CURVES)
def test_blinding_changes_nothing_but_the_work(crv: str) -> None:
    _, shares = quorate(crv, 2, 3)
    recorded = os.urandom(64)

    def nonces() -> Nonces:
        rest = [recorded[:32], recorded[32:]]
        return commit(shares[0], lambda count: rest.pop(0)[:count])

    other = commit(shares[1], os.urandom).commitment
    commitments = [nonces().commitment, other]
    plain = frost.sign_share(shares[0], nonces(), commitments, MESSAGE)
    assert frost.sign_share(shares[0], nonces(), commitments, MESSAGE, blinding=os.urandom) == plain


def test_what_is_no_signing_share() -> None:
    group, shares = quorate("Ed25519", 2, 3)
    for number in (0, -1, algorithms.ED25519.order):
        with pytest.raises(LocalProtocolError):
            SigningShare(identifier=number, key=shares[0].key, group=group)
    agreement = generate("X448", os.urandom)
    with pytest.raises(LocalProtocolError):
        SigningShare(identifier=1, key=agreement, group=agreement.public)
    with pytest.raises(LocalProtocolError):
        SigningShare(identifier=1, key=generate("Ed448", os.urandom), group=group)


def test_both_libraries_have_the_same_points() -> None:
    for scalar in (1, 2, 2**200 + 7, algorithms.ED25519.order - 1):
        octets = sodium.base_point(scalar)
        assert octets == PrivateKey.from_scalar("Ed25519", scalar).public.octets
        sodium.check(octets)
        assert sodium.multiply(5, octets) == sodium.base_point(5 * scalar)
        assert sodium.add(octets, octets) == sodium.base_point(2 * scalar)
    with pytest.raises(EncodingError, match="zero"):
        sodium.base_point(algorithms.ED25519.order)
