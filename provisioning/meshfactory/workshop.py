"""The factory's one order of work: mint, publish, write what the device and its owner get, forget the
secrets.

A device folder is complete or absent: it is built beside its final name and renamed last. Publishing comes
before the rename, so a folder that exists belongs to a device that can be claimed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mathmesh.errors import StoreError
from meshclient.context import AccountContext
from meshfactory import bundle, label, ledger, publish
from meshfactory.label import Label
from meshfactory.mint import Minted, mint
from meshfactory.product import Product

FLASH = "flash"
"""Subfolder with what goes onto the device."""
LEDGER = "ledger.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A finished device: its folder holds `flash/`, `label.svg` and `label.png`."""

    udf: str
    publication_id: str
    kind: str
    serial: str
    maker: str
    folder: Path


async def make(
    product: Product,
    *,
    data: Path,
    out: Path,
    serial: str = "",
    hailing: Sequence[str] = (),
) -> Made:
    """Make one device for the running hub with the data folder `data`, in the new folder `out`.

    Raises StoreError when `out` exists or cannot be written, and what `publish.open_maker` raises; nothing
    is left then.
    """
    if await asyncio.to_thread(out.exists):
        raise StoreError(f"{out} exists: a device folder is never overwritten; choose another name.")
    work = out.with_name(f".{out.name}.new")
    try:
        async with publish.open_maker(data) as maker:
            minted = mint(
                product,
                maker.address,
                maker_key=_update_key(maker),
                entropy=os.urandom,
                now=datetime.now(UTC),
                serial=serial,
                hailing=hailing,
            )
            await asyncio.to_thread(_write, work, minted)
            await publish.publish(maker, [minted.publication])
        work.rename(out)
    except OSError as error:
        raise StoreError(f"The device folder {out} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    made = Made(
        udf=minted.udf,
        publication_id=minted.publication_id,
        kind=product.kind,
        serial=serial,
        maker=minted.maker,
        folder=out,
    )
    ledger.append(data / publish.COPIES / LEDGER, _entry(made, product))
    return made


def _write(folder: Path, minted: Minted) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    (folder / FLASH).mkdir(mode=0o700)
    bundle.write_identity(folder / FLASH, minted.identity)
    printed = Label(title=minted.product.title, connect_uri=minted.connect_uri, serial=minted.serial)
    for name, picture in (("label.svg", label.to_svg(printed)), ("label.png", label.to_png(printed))):
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(picture)


def _update_key(maker: AccountContext) -> bytes:
    """Ed448 key (57 octets) under which the maker signs firmware: the account's CommonSignature."""
    key = maker.profile_user.common_signature
    assert key is not None  # verified with the profile
    return key.public_key().octets


def _entry(made: Made, product: Product) -> dict[str, str]:
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": made.kind,
        "model": product.model,
        "serial": made.serial,
        "udf": made.udf,
        "publication_id": made.publication_id,
        "maker": made.maker,
    }
