"""How quick shares are beside the library's own agreement: `python tests/bench/bench_threshold.py`.

All figures of a line are measured in turns within the same rounds, and the best round of each counts, so
that neighbours on the machine disturb both sides alike.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mathmesh.keys.pair import PrivateKey, generate
from mathmesh.threshold import frost, split
from mathmesh.threshold.agreement import ShareAgreement
from mathmesh.threshold.commitment import commit
from mathmesh.threshold.point import Point, combine
from mathmesh.threshold.signing_share import SigningShare

ROUNDS = 15
SECONDS = 0.03
"""Length of one round of one action."""

SHARE_FLOOR = 0.45
"""Share operations of X448 for each plain exchange; two of its multiplications make 0.5 the ceiling."""

LIBRARY = {"X448": X448PrivateKey, "X25519": X25519PrivateKey}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the report; `ratio` is against the library's exchange, `floor` what it must reach."""

    name: str
    rate: float
    ratio: float | None = None
    floor: float | None = None

    @property
    def reached(self) -> bool:
        """Whether the floor is reached, if there is one."""
        return self.floor is None or (self.ratio is not None and self.ratio >= self.floor)

    def __str__(self) -> str:
        text = f"{self.name:<52}{self.rate:>12,.0f} /s"
        if self.ratio is not None:
            text += f"   ratio {self.ratio:.3f}"
        if self.floor is not None:
            text += f"   floor {self.floor:.2f} {'reached' if self.reached else 'MISSED'}"
        return text


def rates(actions: Sequence[Callable[[], object]]) -> list[float]:
    """Calls per second of each action, in its best round."""
    best = [0.0] * len(actions)
    for _ in range(ROUNDS):
        for index, action in enumerate(actions):
            count, start = 0, time.perf_counter()
            while (spent := time.perf_counter() - start) < SECONDS:
                action()
                count += 1
            best[index] = max(best[index], count / spent)
    return best


def agreements(crv: str) -> list[Figure]:
    """Share operations of an agreement curve and of the signature curve beside it."""
    library = LIBRARY[crv]
    private, public = library.generate(), library.generate().public_key()
    octets = generate(crv, os.urandom).signed_public
    peer = Point.decode(crv, octets)
    share = ShareAgreement(generate(crv, os.urandom))
    other = share.partial(peer)
    signing = crv.replace("X", "Ed")
    ed_peer = Point.decode(signing, generate(signing, os.urandom).public.octets)
    ed_share = ShareAgreement(generate(signing, os.urandom))
    names = {
        f"{crv} exchange of the library": lambda: private.exchange(public),
        f"{crv} share operation, with sign": lambda: share.partial(peer),
        f"{crv} share operation, octets to octets": lambda: share.partial(Point.decode(crv, octets)).octets,
        f"{crv} share operation, blinded": lambda: share.partial_blinded(peer, os.urandom),
        f"{crv} adding two results": lambda: combine([peer, other]),
        f"{signing} share operation": lambda: ed_share.partial(ed_peer),
    }
    found = dict(zip(names, rates(list(names.values())), strict=True))
    base = next(iter(found.values()))
    floored = f"{crv} share operation, with sign" if crv == "X448" else None
    return [
        Figure(name=name, rate=rate, ratio=rate / base, floor=SHARE_FLOOR if name == floored else None)
        for name, rate in found.items()
    ]


def signatures(crv: str) -> list[Figure]:
    """FROST with two signers; the last figures are a whole signature and one by a single key."""
    key = PrivateKey.from_scalar(crv, generate(crv, os.urandom).scalar)
    shares = [
        SigningShare.of_quorate(share, key.public) for share in split.quorate(key, 2, 3, os.urandom)[:2]
    ]

    def together() -> bytes:
        nonces = [commit(share, os.urandom) for share in shares]
        commitments = [item.commitment for item in nonces]
        parts = {
            share.identifier: frost.sign_share(share, item, commitments, b"message")
            for share, item in zip(shares, nonces, strict=True)
        }
        return frost.aggregate(key.public, commitments, b"message", parts)

    names = {
        f"{crv} FROST commitment": lambda: commit(shares[0], os.urandom),
        f"{crv} FROST signature by two, all steps": together,
        f"{crv} signature by one composite key": lambda: key.sign(b"message", os.urandom),
    }
    return [Figure(name=n, rate=r) for n, r in zip(names, rates(list(names.values())), strict=True)]


def figures() -> list[Figure]:
    """Measures everything and prints one line for each figure."""
    found = []
    for measure, crv in (
        (agreements, "X448"),
        (agreements, "X25519"),
        (signatures, "Ed25519"),
        (signatures, "Ed448"),
    ):
        for figure in measure(crv):
            print(figure, flush=True)
            found.append(figure)
    return found


if __name__ == "__main__":
    raise SystemExit(0 if all(figure.reached for figure in figures()) else 1)
