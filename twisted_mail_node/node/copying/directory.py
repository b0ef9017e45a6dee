"""Accounts, users with the hashes of their passwords, and aliases."""

from __future__ import annotations

from collections.abc import Sequence

from ...interfaces.store import IDirectory
from ..doors import Doors


async def copy_accounts(source: Doors, target: Doors) -> Sequence[str]:
    """Make the accounts that are missing, and give users their passwords. Gives the names of all."""
    names = await source.store.accounts()
    there = set(await target.store.accounts())
    for name in names:
        password_hash = await source.directory.password_hash(name)
        if password_hash is None:
            if name not in there:
                await target.store.create_account(name)
        elif name not in there:
            await target.directory.add_user(name, password_hash)
        elif await target.directory.password_hash(name) != password_hash:
            await target.directory.set_password_hash(name, password_hash)
    return names


async def copy_aliases(source: IDirectory, target: IDirectory) -> int:
    """Give the target the aliases that it has not. Gives how many there are."""
    aliases = await source.aliases()
    there = dict(await target.aliases())
    for alias, targets in aliases:
        if there.get(alias) != targets:
            await target.set_alias(alias, targets)
    return len(aliases)
