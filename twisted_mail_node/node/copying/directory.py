"""Accounts, users with what they prove themselves by, and aliases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ...interfaces.credentials import app_passwords_of, verifiers_of
from ...interfaces.required_store import IBasicStore
from ...interfaces.store import IDirectory, IQuota
from ...mail.quota import UNLIMITED, Quota
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
        if password_hash is not None:
            await _copy_verifiers(source.directory, target.directory, name, password_hash)
            await _copy_app_passwords(source.directory, target.directory, name)
    return names


async def _copy_verifiers(source: IDirectory, target: IDirectory, name: str, password_hash: str) -> None:
    theirs, ours = verifiers_of(source), verifiers_of(target)
    if theirs is None or ours is None:
        return
    verifiers = list(await theirs.verifiers(name))
    if verifiers != list(await ours.verifiers(name)):
        await ours.keep_verifiers(name, password_hash, verifiers)


async def _copy_app_passwords(source: IDirectory, target: IDirectory, name: str) -> None:
    theirs, ours = app_passwords_of(source), app_passwords_of(target)
    if theirs is None or ours is None:
        return
    wanted, there = list(await theirs.app_passwords(name)), list(await ours.app_passwords(name))
    for old in there:
        if old not in wanted:
            await ours.remove_app_password(name, old.label)
    for new in wanted:
        if new not in there:
            await ours.add_app_password(name, new)


@asynccontextmanager
async def without_limits(store: IBasicStore, name: str) -> AsyncIterator[None]:
    """While mail is put back, no limit stops it: where it comes from, the account may hold more than it may now."""
    quota: Quota | None = await IQuota(store).quota(name) if IQuota.providedBy(store) else None
    if quota is None or quota.limits == UNLIMITED:
        yield
        return
    await IQuota(store).set_quota(name, UNLIMITED)
    try:
        yield
    finally:
        await IQuota(store).set_quota(name, quota.limits if quota.is_own else None)


async def copy_quota(source: IBasicStore, target: IBasicStore, name: str) -> None:
    """Limits of the account's own, once its mail is there."""
    if IQuota.providedBy(source) and IQuota.providedBy(target):
        quota: Quota = await IQuota(source).quota(name)
        await IQuota(target).set_quota(name, quota.limits if quota.is_own else None)


async def copy_aliases(source: IDirectory, target: IDirectory) -> int:
    """Give the target the aliases that it has not. Gives how many there are."""
    aliases = await source.aliases()
    there = dict(await target.aliases())
    for alias, targets in aliases:
        if there.get(alias) != targets:
            await target.set_alias(alias, targets)
    return len(aliases)
