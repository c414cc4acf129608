"""The factory's record: whole, or named at fault."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meshdevice import identity as device_identity
from meshdevice.identity import IdentityError
from meshdevice.storage import Pair
from meshfactory import bundle

Change = Callable[[dict[str, Any]], object]


def test_what_the_factory_writes_is_what_the_device_reads(tmp_path: Path, identity: dict[str, Any]) -> None:
    bundle.write_identity(tmp_path, identity)
    for name in ("identity.0", "identity.1"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    read = device_identity.parse(Pair(str(tmp_path), "identity").read())
    for name, value in identity.items():
        if name != "v":
            assert getattr(read, "passphrase" if name == "pass" else name) == value
    (tmp_path / "identity.0").unlink()
    assert device_identity.parse(Pair(str(tmp_path), "identity").read()).udf == identity["udf"]


@pytest.mark.parametrize("member", ["seed", "k", "pin"])
def test_the_factory_refuses_to_hand_out_its_secrets(
    tmp_path: Path, identity: dict[str, Any], member: str
) -> None:
    with pytest.raises(bundle.BundleError, match=member):
        bundle.write_identity(tmp_path, {**identity, member: "x"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda r: r.pop("auth"), "auth"),
        (lambda r: r.update(udf="AAAA"), "udf"),
        (lambda r: r.update(enc="*"), "enc"),
        (lambda r: r.pop("kind"), "kind"),
        (lambda r: r.update(maker=7), "maker"),
        (lambda r: r.update(v=2), "version"),
    ],
)
def test_a_member_at_fault_is_named(
    tmp_path: Path, identity: dict[str, Any], change: Change, named: str
) -> None:
    bundle.write_identity(tmp_path, identity)
    data = Pair(str(tmp_path), "identity").read()
    assert data
    record = json.loads(data)
    change(record)
    with pytest.raises(IdentityError, match=named):
        device_identity.parse(json.dumps(record).encode())


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]"])
def test_no_identity(data: bytes | None) -> None:
    with pytest.raises(IdentityError):
        device_identity.parse(data)
