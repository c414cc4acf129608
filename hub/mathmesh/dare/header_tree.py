"""A second tree over the headers of a sequence: an addition of ours (protocol book, "Stores").

No digest of the draft covers a header, so a signature over the apex says nothing about names, times and
numbers. This tree has the same shape as that of the TreeDigests, with the digest of the header record in
place of the payload digest. It is not written into frames; a checkpoint carries its peaks.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mathmesh.dare import merkle
from mathmesh.dare.frame import read_frame
from mathmesh.dare.sequence import ERASED_SALT
from mathmesh.dare.sequence_reader import Reader
from mathmesh.errors import VerificationError

_ERASED = b'"' + ERASED_SALT.encode() + b'"'


class ErasedHeader(NamedTuple):
    """Digests of the header of an erased frame: as it was, and as it is without its salt."""

    before: bytes
    after: bytes


Erased = Mapping[int, ErasedHeader]
"""What is known of erased frames, by number."""


def header_digest(octets: bytes) -> bytes:
    """SHA-512 of a header record."""
    return hashlib.sha512(octets).digest()


def leaf(octets: bytes, index: int, erased: Erased) -> bytes:
    """What stands for the header of frame `index`: its digest or, when it was erased, the one in evidence.

    Raises VerificationError for an erased header without evidence, or altered since.
    """
    if _ERASED not in octets:
        return header_digest(octets)
    known = erased.get(index)
    if known is None:
        raise VerificationError(f"frame {index} was erased and no evidence tells what its header was")
    if known.after != header_digest(octets):
        raise VerificationError(f"header of frame {index} was altered since it was erased")
    return known.before


def digests(
    reader: Reader, erased: Erased, *, peaks: Iterable[bytes] = (), start: int = 0
) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, leaf and tree digest of each frame from `start`; `peaks` are the digests of the tree before."""
    state = state_at(start, peaks)
    position = reader.frame(start).position if 0 < start else 0
    number = start
    while position < reader.size:
        raw = read_frame(reader.read_at, position)
        value = leaf(raw.records[0], number, erased)
        yield number, value, state.append(0, value)
        position, number = raw.end, number + 1


def state_at(count: int, peaks: Iterable[bytes]) -> merkle.TreeState:
    """The tree of `count` headers from its peaks; raises VerificationError when there are too few or many."""
    values, ranks = tuple(peaks), merkle.peak_ranks(count)
    if len(values) != len(ranks):
        raise VerificationError("peaks of the tree over headers do not fit the number of frames")
    found = tuple(merkle.Peak(rank - 1, 0, value) for rank, value in zip(ranks, values, strict=True))
    return merkle.TreeState(count, found)


def tree_of(
    reader: Reader,
    erased: Erased,
    count: int,
    *,
    peaks: Iterable[bytes] = (),
    start: int = 0,
) -> merkle.TreeState:
    """The tree over the headers of the first `count` frames, going on from `peaks` of the first `start`."""
    state = state_at(start, peaks := tuple(peaks))
    for number, value, _ in digests(reader, erased, peaks=peaks, start=start):
        if number >= count:
            break
        state.append(0, value)
    return state
