"""Checks a slice of a sequence with nothing but hashlib and cryptography: `check_slice.py FILE KEY [FOLDER]`.

KEY is the signer's Ed448 public key in hexadecimal; FOLDER gets the bodies (protocol book, "Slices").
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey

MEMBERS = "First Last Tree Steps Witness Signature"


def need(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def b64(text: str) -> bytes:
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(octets).decode().rstrip("=") == text, "base64url is not canonical")
    return octets


def inputs(index: int) -> list[int]:
    rank, step, found = index + 1, 1, []
    while rank % 2 == 0:
        found.append(index - step)
        rank, step = rank // 2, step * 2
    return [*found, step // 2 - 1 if rank == 1 else index - step]


def item(octets: bytes, start: int, code: int) -> tuple[bytes, int]:
    width = 1 << (octets[start] & 3)
    length = int.from_bytes(octets[start + 1 : start + 1 + width], "big")
    end = start + 1 + width + length
    shortest = width == 1 or length >> (4 * width) != 0
    need(octets[start] & 0xFC == code and end <= len(octets) and shortest, "item is not one of a frame")
    return octets[end - length : end], end


def frames(octets: bytes, start: int) -> list[tuple[bytes, bytes]]:
    found = []
    while start < len(octets):
        inside, end = item(octets, start, 0xF4)
        lead = octets[start : end - len(inside)]
        start = end + len(lead)
        header, middle = item(inside, 0, 0xF0)
        body, last = item(inside, middle, 0xF0)
        need(octets[end:start] == lead[::-1] and last == len(inside), "frame does not end as it must")
        found.append((header, body))
    return found


def check(octets: bytes, key: bytes) -> dict[int, tuple[bytes, bytes]]:
    line = octets[: octets.index(b"\n")]
    proof = (value := json.loads(line))["SequenceSlice"]
    need(json.dumps(value, separators=(",", ":")).encode() == line, "first line is not canonical")
    need(list(value) == ["SequenceSlice"] and " ".join(proof) == MEMBERS, "first line holds something else")
    body = b64(proof["Witness"])
    Ed448PublicKey.from_public_bytes(key).verify(b64(proof["Signature"]), hashlib.sha512(body).digest())
    witness, first, last = json.loads(body)["Witness"], proof["First"], proof["Last"]
    found, before = dict(enumerate(frames(octets, len(line) + 1), first)), first - 1
    need(type(first) is type(last) is int and list(found) == [*range(first, last + 1)], "number of frames")
    trees = [{-1: bytes(64)}, {-1: bytes(64)}]  # tree digests of payloads and of headers
    for number, *digests in proof["Tree"]:
        need(type(number) is int and number > max(trees[0]), "order of digests")
        trees[0][number], trees[1][number] = map(b64, digests)
    unused = {*trees[0]} - {-1}
    leaves = [(n, *(hashlib.sha512(part).digest() for part in found[n][::-1])) for n in found]
    leaves += [(n, b64(payload), b64(header)) for n, payload, header in proof["Steps"]]
    for number, *parts in leaves:
        need(type(number) is int and number not in trees[0] and number > before, "order of steps")
        need(number == first or before in inputs(number), "a step does not take in the one before")
        for tree, part in zip(trees, parts, strict=True):
            for left in inputs(number):
                part = hashlib.sha512(tree[left] + part).digest()
            tree[number] = part
        unused -= {*inputs(number)}
        before = number
    need(not unused and witness["Index"] == before, "proof does not end at the witness")
    need(b64(witness["Apex"]) == trees[0][before], "payloads are not those that were vouched for")
    need(b64(witness["HeaderPeaks"][-1]) == trees[1][before], "headers are not those that were vouched for")
    numbers = [json.loads(header)["SequenceInfo"]["Index"] for header, _ in found.values()]
    need(numbers == list(found), "frames bear other numbers")
    return found


if __name__ == "__main__":
    try:
        checked = check(Path(sys.argv[1]).read_bytes(), bytes.fromhex(sys.argv[2]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, InvalidSignature) as error:
        sys.exit(f"REFUSED: {type(error).__name__}: {error}")
    for number, (_, content) in checked.items() if len(sys.argv) > 3 else ():
        Path(sys.argv[3], str(number)).write_bytes(content)
    print(f"frames {min(checked)} to {max(checked)} are what the signer vouched for")
