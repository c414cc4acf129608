"""The unit with which a hub is always on."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from meshhub.config import default_data

CHECKOUT = Path(__file__).parents[2]
UNIT = CHECKOUT / "hardware" / "hub" / "mesh-hub.service"


@pytest.fixture
def service() -> configparser.SectionProxy:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(UNIT)
    return unit["Service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    text = re.sub(r"ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text())
    copy.write_text(text)
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert [line for line in run.stderr.splitlines() if UNIT.name in line] == []


def test_it_runs_the_hub_as_a_user_of_its_own_who_may_do_little(service: configparser.SectionProxy) -> None:
    assert service["ExecStart"].endswith("/meshhub run")
    assert service["Type"] == "notify"
    assert service["User"] not in ("root", "")
    assert service["CapabilityBoundingSet"] == ""
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["LimitCORE"] == "0"


def test_its_state_folder_is_the_hubs_data_folder(service: configparser.SectionProxy) -> None:
    folder = f"/var/lib/{service['StateDirectory']}"
    assert default_data({"STATE_DIRECTORY": folder}) == Path(folder)
    assert service["StateDirectoryMode"] == "0700"


def test_the_readme_names_what_the_unit_expects(service: configparser.SectionProxy) -> None:
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert str(UNIT.relative_to(CHECKOUT)) in readme
    program = service["ExecStart"].split()[0]
    assert f"{program} link" in readme
    assert "git clone" in readme
    assert str(Path(program).parents[2]) in readme
    assert "useradd --system" in readme
    assert service["User"] in readme
