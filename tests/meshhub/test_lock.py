import subprocess
import sys
from pathlib import Path

import pytest

from meshhub import ports_file
from meshhub.errors import HubError
from meshhub.lock import DataLock
from meshhub.notify import notify


def test_one_hub_for_one_folder(tmp_path: Path) -> None:
    with DataLock(tmp_path / "data"):
        with pytest.raises(HubError, match=r"another hub \(process \d+\)"):
            DataLock(tmp_path / "data").take()
    DataLock(tmp_path / "data").take().release()


def test_a_killed_hub_leaves_no_lock(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from meshhub.lock import DataLock; "
        "DataLock(Path(sys.argv[1])).take(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    with DataLock(tmp_path):
        pass


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="cannot be used"):
        DataLock(tmp_path / "file").take()


def test_the_folder_is_private(tmp_path: Path) -> None:
    with DataLock(tmp_path / "data"):
        assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_ports_are_remembered(tmp_path: Path) -> None:
    assert ports_file.recall(tmp_path, "mqtt") is None
    ports_file.remember(tmp_path, "mqtt", 1884)
    ports_file.remember(tmp_path, "other", 5)
    assert ports_file.recall(tmp_path, "mqtt") == 1884
    for damaged in ("", "[]", '{"mqtt": "x"}', '{"mqtt": 0}', '{"mqtt": 70000}', "\0\0"):
        (tmp_path / ports_file.NAME).write_text(damaged)
        assert ports_file.recall(tmp_path, "mqtt") is None
        ports_file.remember(tmp_path, "mqtt", 1884)
        assert ports_file.recall(tmp_path, "mqtt") == 1884


def test_systemd_is_told(tmp_path: Path) -> None:
    import socket

    path = str(tmp_path / "notify")
    assert not notify("READY=1", {})
    assert not notify("READY=1", {"NOTIFY_SOCKET": path})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(path)
        assert notify("READY=1", {"NOTIFY_SOCKET": path})
        assert supervisor.recv(100) == b"READY=1"
