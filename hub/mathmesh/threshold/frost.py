"""Signature shares and their aggregation, the second round of FROST (RFC 9591 §5.2 and §5.3).

The signature is one of RFC 8032, which verifiers cannot tell from that of a single signer. We sign so, and
not with the single nonce of draft-hallambaker-threshold-sigs: whoever may open many signatures at the same
time forges another one there. Each signer computes all factors itself, from the list of commitments.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from mathmesh.errors import EncodingError, LocalProtocolError, VerificationError
from mathmesh.keys.pair import PublicKey
from mathmesh.threshold import lagrange
from mathmesh.threshold.commitment import Commitment, Nonces, check_commitments
from mathmesh.threshold.frost_suite import Element, Suite, suite
from mathmesh.threshold.signing_share import SigningShare
from mathmesh.types import Entropy


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What all signers of one message have in common; build it with `session`."""

    rules: Suite
    group: PublicKey
    commitments: tuple[Commitment, ...]
    binding_inputs: Mapping[int, bytes]
    binding_factors: Mapping[int, int]
    commitment_shares: Mapping[int, Element]
    group_commitment: bytes
    challenge: int

    def coefficient(self, identifier: int) -> int:
        """Lagrange factor of one signer among these."""
        return lagrange.coefficient(identifier, self.binding_factors, self.rules.order)


def session(
    group: PublicKey, commitments: Sequence[Commitment], message: bytes, *, own: Commitment | None = None
) -> Session:
    """The common values of a signature under `group` on `message`; the points of `own` are not checked.

    Raises RemoteProtocolError for fewer than two commitments, two of one signer or one of nobody,
    VerificationError for points that are not of prime order.
    """
    rules = suite(group.crv)
    ordered = check_commitments(rules, commitments)
    listed = b"".join(rules.write_scalar(item.identifier) + item.hiding + item.binding for item in ordered)
    head = group.octets + rules.hash(b"msg", message) + rules.hash(b"com", listed)
    inputs = {item.identifier: head + rules.write_scalar(item.identifier) for item in ordered}
    factors = {identifier: rules.hash_to_scalar(b"rho", text) for identifier, text in inputs.items()}
    shares = {}
    for item in ordered:
        decode = rules.load if item == own else rules.decode
        bound = rules.multiply(factors[item.identifier], decode(item.binding))
        shares[item.identifier] = rules.add(decode(item.hiding), bound)
    total = rules.encode(reduce(rules.add, shares.values()))
    return Session(
        rules=rules,
        group=group,
        commitments=ordered,
        binding_inputs=inputs,
        binding_factors=factors,
        commitment_shares=shares,
        group_commitment=total,
        challenge=rules.challenge(total, group.octets, message),
    )


def sign_share(
    share: SigningShare,
    nonces: Nonces,
    commitments: Sequence[Commitment],
    message: bytes,
    *,
    blinding: Entropy | None = None,
) -> bytes:
    """This signer's part of the signature; the nonces are used up by it.

    With `blinding` the share is cut into two random parts, so that no multiplication has the same secret
    twice. Raises LocalProtocolError for nonces that were used or are not in the list, else as `session` does.
    """
    if nonces.commitment not in commitments or nonces.commitment.identifier != share.identifier:
        raise LocalProtocolError("the commitment of this signer's nonces is not in the list; refuse to sign")
    common = session(share.group, commitments, message, own=nonces.commitment)
    hiding, binding = nonces.take()
    order = common.rules.order
    factor = common.coefficient(share.identifier) * common.challenge % order
    part = lagrange.uniform(order, blinding) if blinding is not None else 0
    answer = hiding + binding * common.binding_factors[share.identifier]
    answer += factor * part % order + factor * (share.key.scalar - part) % order
    return common.rules.write_scalar(answer)


def verify_share(common: Session, identifier: int, public: PublicKey, signature_share: bytes) -> None:
    """Checks one signer's part with the public key of its share; raises VerificationError unless it holds."""
    rules = common.rules
    if identifier not in common.commitment_shares or public.crv != rules.crv:
        raise VerificationError(f"signer {identifier} is not one of this signature's")
    try:
        left = rules.base_point(rules.read_scalar(signature_share))
    except EncodingError:
        raise VerificationError(f"the signature share of signer {identifier} is malformed") from None
    factor = common.coefficient(identifier) * common.challenge
    right = rules.multiply(factor, rules.decode(public.octets))
    if left != rules.encode(rules.add(common.commitment_shares[identifier], right)):
        raise VerificationError(f"the signature share of signer {identifier} does not hold; leave it out")


def aggregate(
    group: PublicKey,
    commitments: Sequence[Commitment],
    message: bytes,
    signature_shares: Mapping[int, bytes],
    publics: Mapping[int, PublicKey] | None = None,
) -> bytes:
    """The signature, verified.

    Raises VerificationError when it does not hold; with the `publics` of the shares the message names the
    signers to blame.
    """
    common = session(group, commitments, message)
    if set(signature_shares) != set(common.binding_factors):
        raise LocalProtocolError("the signature shares are not those of the signers that committed")
    try:
        answers = [common.rules.read_scalar(octets) for octets in signature_shares.values()]
        signature = common.group_commitment + common.rules.write_scalar(sum(answers))
        group.verify(signature, message)
    except (EncodingError, VerificationError):
        blamed = _blamed(common, signature_shares, publics or {})
        raise VerificationError(f"the signature does not hold{blamed}") from None
    return signature


def _blamed(common: Session, shares: Mapping[int, bytes], publics: Mapping[int, PublicKey]) -> str:
    wrong = []
    for identifier in sorted(set(shares) & set(publics)):
        try:
            verify_share(common, identifier, publics[identifier], shares[identifier])
        except VerificationError:
            wrong.append(str(identifier))
    return f"; to blame: signer {', '.join(wrong)}" if wrong else ""
