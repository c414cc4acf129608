"""What lies beside a sequence, in a folder that others of the machine may write to."""

import os
import random
import stat
from array import array
from pathlib import Path

import pytest

from mathmesh.dare.positions import Positions
from mathmesh.keys.keyring import MemoryKeyring
from mathmesh.keys.pair import generate
from meshclient import side_index
from meshclient.store_files import SequenceFile

KEY = generate("X25519", os.urandom)
KEYRING = MemoryKeyring([KEY])


def test_an_index_is_the_owners_alone_and_follows_no_link(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sequence, precious = tmp_path / "some.dcon", tmp_path / "precious"
        precious.write_text("kept")
        index = side_index.index_path(sequence)
        index.with_name(index.name + ".new").symlink_to(precious)
        side_index.save(sequence, Positions(array("Q", range(side_index.MINIMUM_FRAMES))))
    finally:
        os.umask(before)
    assert precious.read_text() == "kept"
    assert stat.S_IMODE(index.lstat().st_mode) == 0o600


def altered(right: list[int], way: str) -> list[int]:
    """File offsets as they must not be."""
    match way:
        case "shifted":
            return [0, *(position + 1 for position in right[1:])]
        case "of others":
            return [0, *right[2:], right[-1]]
        case "in disorder":
            middle = right[1:-1]
            random.Random(1).shuffle(middle)
            return [0, *middle, right[-1]]
        case "beyond the file":
            return [*right[:5], 1 << 40, *right[6:]]
        case "far too many":
            return [*right, *right[1:]]
    return [0, 1]


@pytest.mark.parametrize(
    "way", ["shifted", "of others", "in disorder", "beyond the file", "far too many", "short and wrong"]
)
def test_a_wrong_index_hinders_no_reading(tmp_path: Path, way: str) -> None:
    """Whatever it says: each frame is the one asked for, and its exchange is found as well."""
    path = tmp_path / "a.dcon"
    contents = [b""]
    with SequenceFile.create(path, policy_recipients=[KEY.public], entropy=os.urandom) as file:
        file.append_many([b"%d" % number for number in range(1, 300)], sync=False)
    for _ in range(2):  # another exchange in each session
        with SequenceFile.open(path, entropy=os.urandom) as file:
            file.append_many([b"%d" % number for number in range(file.count, file.count + 200)], sync=False)
    with SequenceFile.open(path, keyring=KEYRING) as file:
        right = [frame.position for frame in file.frames()]
        contents += [b"%d" % number for number in range(1, len(right))]
    index = side_index.index_path(path)
    wrong = b"MeshIdx1" + array("Q", altered(right, way)).tobytes()
    for number in (1, 5, 299, 400, 550, len(right) - 1):
        index.write_bytes(wrong)
        with SequenceFile.open(path, keyring=KEYRING) as file:
            assert file.count == len(right)
            assert file.plaintext(number) == contents[number]
            assert [file.plaintext(frame) for frame in file.frames(number)] == contents[number:]
    index.write_bytes(wrong)
    with SequenceFile.open(path, keyring=KEYRING) as file:
        assert file.verify().opened == len(right)
