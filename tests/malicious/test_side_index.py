"""What lies beside a sequence, in a folder that others of the machine may write to."""

import os
import stat
from array import array
from pathlib import Path

from mathmesh.dare.positions import Positions
from meshclient import side_index


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
