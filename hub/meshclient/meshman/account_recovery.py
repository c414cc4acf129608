"""`meshman account escrow`, `account recover` and `account purge`: the seed of an account, in shares."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mathmesh.errors import MeshError, PolicyError
from meshclient import account_setup, cards
from meshclient.cards import Card
from meshclient.context import utc_now
from meshclient.machine import Machine
from meshclient.meshman.frame import Answer, MeshCommand
from meshclient.meshman.running import Flags, account_flags, home_flag, on_account, with_directory
from meshclient.session import ServiceDirectory, Session


@click.command("escrow", cls=MeshCommand, example="account escrow /quorum=2 /shares=3 /cards=cards.pdf")
@click.option("--quorum", type=click.IntRange(2, 15), default=2, show_default=True, help="Shares needed.")
@click.option("--shares", type=click.IntRange(2, 15), default=3, show_default=True, help="Shares made.")
@click.option(
    "--cards",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A card with a QR code for each share, to print: .pdf, .svg or .png.",
)
@account_flags
def escrow(flags: Flags, quorum: int, shares: int, file: Path | None) -> Answer:
    """Shares from which the account is recovered when all machines are lost. Keep them apart."""
    if quorum > shares:
        raise click.UsageError("/quorum is larger than /shares: the account could never be recovered.")

    async def step(session: Session) -> Answer:
        made = account_setup.escrow(session, quorum, shares)
        if file is not None:
            cards.write(file, _cards(session, made, quorum))
        lines = [f"Share: {share}" for share in made] + ([f"Cards: {file}"] if file is not None else [])
        members: dict[str, Any] = {"Shares": made, "Quorum": quorum, "Cards": str(file) if file else None}
        note = f"Any {quorum} of these {shares} shares recover the account; fewer tell nothing."
        return Answer(lines=lines, tag="ResultEscrow", members=members, notes=[note])

    return on_account(flags, step)


@click.command("recover", cls=MeshCommand, example="account recover SAQM-… SARG-… /verify")
@click.argument("shares", nargs=-1, required=True)
@click.option("--verify", is_flag=True, help="Only tell whose account it is.")
@click.option("--address", metavar="ADDRESS", help="The account's address.  [default: asked for at services]")
@click.option("--expect", metavar="UDF", help="The UDF of the account.")
@home_flag
def recover(
    machine: Machine, shares: tuple[str, ...], verify: bool, address: str | None, expect: str | None
) -> Answer:
    """Recover an account from shares: this machine becomes its administrator.

    With /verify nothing is changed; the UDF then needs neither a service nor an account here.
    """
    restored = account_setup.restore(shares, expect)

    async def step(directory: ServiceDirectory) -> Answer:
        found = await _find(restored, address, directory)
        if verify:
            return account_answer(found.address, restored.udf)
        if found.profile is None:
            raise PolicyError("no service knows this account; give its address with /address")
        file = await account_setup.recover_account(
            machine, found, directory, entropy=os.urandom, clock=utc_now
        )
        return account_answer(file.keys.address, file.keys.id)

    return with_directory(machine, step)


@click.command("purge", cls=MeshCommand, example="account purge")
@click.option("--yes", is_flag=True, help="Do not ask.")
@account_flags
def purge(flags: Flags, yes: bool) -> Answer:
    """Remove the account's seed, which recovers it, from this machine; it stays an administrator.

    Make shares first with `account escrow`: what needs the seed (new shares, moving, renewing keys after a
    removal) is done on a machine that has it, or after `account recover`.
    """
    if not yes and not click.confirm("Remove the seed from this machine? Are its shares kept?", err=True):
        raise PolicyError("nothing was removed")

    async def step(session: Session) -> Answer:
        account_setup.purge(session)
        return replace(account_answer(session.address, session.context.udf), tag="ResultPurge")

    return on_account(flags, step, sync=True)


def account_answer(address: str | None, udf: str) -> Answer:
    """An account by its address, where that is known, and UDF."""
    members = {"Account": address, "UDF": udf}
    lines = [f"{name}={value}" for name, value in members.items() if value]
    return Answer(lines=lines, tag="ResultAccount", members=members)


async def _find(
    restored: account_setup.Restored, address: str | None, directory: ServiceDirectory
) -> account_setup.Restored:
    """The account at a service; as it was when none that can be asked has it."""
    places = [address] if address else [f"{restored.udf}@{domain}" for domain in directory.known_domains()]
    refused: MeshError | None = None
    for place in places:
        try:
            return await account_setup.find_account(restored, place, directory)
        except (MeshError, OSError) as error:
            refused = error if isinstance(error, MeshError) else None
    if address and refused is not None:
        raise refused
    return restored


def _cards(session: Session, shares: list[str], quorum: int) -> list[Card]:
    lines = (
        session.address,
        session.context.udf,
        f"{quorum} of {len(shares)} such cards recover the account:",
        "meshman account recover SHARE SHARE",
        f"Made {session.now:%Y-%m-%d}. Keep each card in another place.",
    )
    return [
        Card(title=f"Recovery share {number} of {len(shares)}", lines=lines, text=share)
        for number, share in enumerate(shares, 1)
    ]
