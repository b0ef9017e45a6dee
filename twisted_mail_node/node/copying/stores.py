"""The two stores of a copy, opened while no node uses them."""

from __future__ import annotations

from collections.abc import Callable

from ...mail.errors import MailError
from ..blocking import wait_for
from ..config import Config
from ..control.operations import Refusal
from ..owner import acting_as_owner
from ..state import StateFolder
from ..storage import Reactor, make_storage
from .mailboxes import Unlike
from .store import Counts, copy_store


def copy(
    source: Config,
    target: Config,
    begin_mailbox: Callable[[str, int], None],
    advance: Callable[[int, int], None],
) -> Counts:
    """
    Copy the store of one configuration into that of another.

    Raises: CannotStart: a state folder or a store can't be opened, or a node uses it; Refusal.
    """
    for config in (source, target):
        if config.store.kind == "memory":
            raise Refusal("a store in memory is gone with its node: it can't be copied, nor copied into")
    if _place(source) == _place(target):
        raise Refusal("both configurations name the same store")
    with acting_as_owner(source.state_dir):
        folder, other = StateFolder(source.state_dir), StateFolder(target.state_dir)
        folder.open()
        try:
            # A node that changes its store keeps its folder.
            if not _is_same_folder(source, target):
                other.open()
            return _copy(source, folder, target, other, begin_mailbox, advance)
        finally:
            other.close()
            folder.close()


def _is_same_folder(source: Config, target: Config) -> bool:
    return source.state_dir.resolve() == target.state_dir.resolve()


def _place(config: Config) -> tuple[str, str]:
    if config.store.kind == "postgres":
        return config.store.kind, config.store.dsn.get_secret_value()
    return config.store.kind, str(config.state_dir.resolve())


def _copy(
    source: Config,
    folder: StateFolder,
    target: Config,
    other: StateFolder,
    begin_mailbox: Callable[[str, int], None],
    advance: Callable[[int, int], None],
) -> Counts:
    async def between(reactor: Reactor) -> Counts:
        old = make_storage(source, folder.database, reactor)
        new = make_storage(target, other.database, reactor)
        await old.store.start()
        try:
            await new.store.start()
            try:
                return await copy_store(old, new, begin_mailbox, advance)
            finally:
                await new.store.stop()
        finally:
            await old.store.stop()

    try:
        return wait_for(between)
    except MailError as error:
        raise Refusal(error.text) from error
    except Unlike as error:
        raise Refusal(str(error)) from error
