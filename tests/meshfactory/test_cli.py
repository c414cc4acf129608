"""The command `meshfactory`: what it refuses, and what needs no hub."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from meshfactory import bundle
from meshfactory.cli import main
from meshfactory.simulate import GESTURES, flash_of


def meshfactory(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A device folder with an identity, as far as a press of the button needs one."""
    bundle.write_identity(tmp_path / "lamp" / "flash", {"kind": "light"})
    return tmp_path / "lamp"


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("mint",), 2, "--kind"),
        (("mint", "--kind", "toaster"), 2, "toaster"),
        (("mint", "--kind", "light", "--serial", "a" * 25), 2, "at most 24 characters"),
        (("mint", "--kind", "light", "--serial", "a\nb"), 2, "can be printed"),
        (("mint", "--kind", "light", "--hail", "somewhere"), 2, "mmm-tcp://HOST:PORT"),
        (("mint", "--kind", "light", "--data", "/no/hub"), 1, "meshhub run"),
        (("list", "--data", "/no/hub"), 1, "--data"),
        (("bundle", "--board", "toaster"), 2, "esp32-devkit"),
        (("simulate",), 2, "folder"),
        (("simulate", "/no/device"), 1, "meshfactory mint"),
        (("simulate", "one", "--state", "two"), 2, "folder"),
        (("press", "/no/device"), 2, "does not exist"),
    ],
)
def test_what_is_refused(words: tuple[str, ...], code: int, text: str) -> None:
    result = meshfactory(*words)
    assert result.exit_code == code
    assert text in result.output
    assert "Traceback" not in result.output


def test_a_hub_for_which_nothing_was_made(tmp_path: Path) -> None:
    assert "meshfactory mint" in meshfactory("list", "--data", tmp_path).output
    assert json.loads(meshfactory("list", "--data", tmp_path, "--json").output) == []


def test_the_firmware_of_a_board_in_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "firmware"
    result = meshfactory("bundle", "--board", "esp32-devkit", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["board"] == "esp32-devkit"
    manifest = json.loads((out / "manifest.json").read_text())
    assert sorted(path for path, _, _ in manifest["files"]) == sorted(
        path.relative_to(out).as_posix()
        for path in out.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    )
    again = meshfactory("bundle", "--board", "esp32-devkit", "--out", out)
    assert (again.exit_code, "exists" in again.output) == (1, True)


def test_the_folder_of_a_device_or_its_flash(made: Path) -> None:
    assert flash_of(made) == flash_of(made / "flash") == made / "flash"


@pytest.mark.parametrize("gesture", ["", *GESTURES])
def test_press(made: Path, gesture: str) -> None:
    assert meshfactory("press", made, *filter(None, [gesture])).exit_code == 0
    assert (made / "flash" / "control").read_text() == f"{gesture or 'single'}\n"


def test_press_of_no_device(tmp_path: Path) -> None:
    result = meshfactory("press", tmp_path)
    assert (result.exit_code, "holds no identity" in result.output) == (1, True)
