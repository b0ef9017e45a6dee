"""
What the operator can do to users, aliases and the queue: by name, with JSON in and JSON out.

The same object serves the control socket of a running node and the command line without one. Decides who may be
made: names of this node's own domains only. Neighbours: the doors of `interfaces`; `cli` shows what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults

from ...auth.verifiers import Verifiers
from ...interfaces.credentials import verifiers_of
from ...interfaces.deferred import returns_deferred
from ...interfaces.queue import IQueueStore
from ...interfaces.store import IDirectory
from ...mail.address import Address
from ...mail.errors import MailError
from ...mail.password_marks import NO_PASSWORD
from ...mail.queue_item import QueueItem
from ..config import Config
from .app_passwords import AppPasswordDesk
from .arguments import JSON, Arguments, Operation, Refusal, is_text, time_text
from .arguments import address as address_of

__all__ = ["JSON", "NO_PASSWORD", "Arguments", "Hasher", "Operation", "Operations", "Refusal"]

QUEUE_PAGE = 1000
"""Items read from the queue at a time."""


class Hasher(Protocol):
    """Makes password hashes."""

    def hash(self, password: str) -> Deferred[str]:
        """A new hash of the password."""


class Operations:
    """
    Performs operations by name.

    Args:
        config: has the domains and the mailboxes of new accounts.
        directory: users and aliases.
        queue: the queue's items.
        hasher: for new passwords.
        seconds: the time, in seconds since the epoch.
        password_changed: told the name of each user whose password was changed or who was removed.
        before_retry: called when somebody asks for a try at once: what failed lately shall not stand in its way.
        others: operations that are done elsewhere, by name.
        verifiers: makes SCRAM verifiers of new passwords; None where none are wanted.
    """

    def __init__(
        self,
        config: Config,
        directory: IDirectory,
        queue: IQueueStore,
        hasher: Hasher,
        seconds: Callable[[], float],
        password_changed: Callable[[str], None],
        before_retry: Callable[[], None] = lambda: None,
        others: Mapping[str, Operation] | None = None,
        verifiers: Verifiers | None = None,
    ) -> None:
        self._config = config
        self._directory = directory
        self._queue = queue
        self._hasher = hasher
        self._seconds = seconds
        self._password_changed = password_changed
        self._before_retry = before_retry
        self._verifiers = verifiers
        self._by_name: dict[str, Operation] = {
            **(others or {}),
            **AppPasswordDesk(directory, seconds).by_name,
            "user.add": self._add_user,
            "user.remove": self._remove_user,
            "user.list": self._list_users,
            "user.passwd": self._change_password,
            "user.check": self._check_new_users,
            "user.hash": self._hash_passwords,
            "user.import": self._import_users,
            "alias.add": self._add_alias,
            "alias.remove": self._remove_alias,
            "alias.list": self._list_aliases,
            "domain.list": self._list_domains,
            "queue.list": self._list_queue,
            "queue.show": self._show_queue,
            "queue.retry": self._retry_queue,
            "queue.drop": self._drop_queue,
        }

    @returns_deferred
    async def perform(self, name: str, arguments: Arguments) -> JSON:
        """Do it. Fires with what to show, as JSON has it; fails with Refusal."""
        operation = self._by_name.get(name)
        if operation is None:
            raise Refusal(f"this node does not know the operation {name}")
        try:
            return await operation(arguments)
        except MailError as error:
            raise Refusal(error.text) from error
        except (KeyError, TypeError) as error:
            raise Refusal(f"{name}: not the arguments that this operation takes") from error

    # -- users ------------------------------------------------------------------------------------------------------

    async def _add_user(self, arguments: Arguments) -> JSON:
        name = self._own_name(arguments["name"])
        before = await self._directory.password_hash(name)
        if before not in (None, NO_PASSWORD):
            raise Refusal(f"there is a user {name} already")
        password = _password(arguments)
        password_hash = await self._hasher.hash(password)
        await self._make_user(name, password_hash, before)
        await self._make_verifiers(name, password, password_hash)
        return {"name": name}

    async def _make_user(self, name: str, password_hash: str, before: str | None) -> None:
        if before == NO_PASSWORD:
            await self._directory.set_password_hash(name, password_hash)
        else:
            await self._directory.add_user(name, password_hash, self._config.new_mailboxes)

    async def _remove_user(self, arguments: Arguments) -> JSON:
        name = await self._user(arguments)
        await self._directory.remove_user(name)
        self._password_changed(name)
        return {"name": name}

    async def _list_users(self, _: Arguments) -> JSON:
        keeping = verifiers_of(self._directory)
        with_verifiers = set() if keeping is None else set(await keeping.names_with_verifiers())
        return [{"name": name, "scram": name in with_verifiers} for name in await self._users()]

    async def _users(self) -> list[str]:
        """Those who can log in, which the node's own postmaster need not."""
        names = list(await self._directory.users())
        own = f"postmaster@{self._config.domains[0]}"
        if own in names and await self._directory.password_hash(own) == NO_PASSWORD:
            names.remove(own)
        return names

    async def _change_password(self, arguments: Arguments) -> JSON:
        name = await self._user(arguments)
        password = _password(arguments)
        password_hash = await self._hasher.hash(password)
        await self._directory.set_password_hash(name, password_hash)
        self._password_changed(name)
        await self._make_verifiers(name, password, password_hash)
        return {"name": name}

    async def _make_verifiers(self, name: str, password: str, password_hash: str) -> None:
        if self._verifiers is not None:
            await self._verifiers.make(name, password, password_hash)

    async def _check_new_users(self, arguments: Arguments) -> JSON:
        """The positions of names that can't be added, each with the reason."""
        taken = set(await self._users())
        mistakes, seen = [], dict[str, int]()
        for position, given in enumerate(arguments["names"]):
            try:
                name = self._own_name(given)
            except Refusal as refusal:
                mistakes.append({"position": position, "reason": str(refusal)})
                continue
            if name in taken:
                mistakes.append({"position": position, "reason": f"there is a user {name} already"})
            elif name in seen:
                mistakes.append({"position": position, "reason": f"{name} stands here twice"})
            seen.setdefault(name, position)
        return mistakes

    async def _hash_passwords(self, arguments: Arguments) -> JSON:
        """Their hashes, in order; none is kept. They leave room for those of logins."""
        passwords = [_password({"password": password}) for password in arguments["passwords"]]
        in_turn = DeferredSemaphore(self._config.auth.hashes_at_once)
        hashing = [in_turn.run(self._hasher.hash, password) for password in passwords]
        return list(await gatherResults(hashing, consumeErrors=True))

    async def _import_users(self, arguments: Arguments) -> JSON:
        """Add [name, hash of the password] each; all of them or none."""
        users = [(self._own_name(name), str(password_hash)) for name, password_hash in arguments["users"]]
        added: list[str] = []
        refused: list[str] = []

        async def add(name: str, password_hash: str) -> None:
            try:
                await self._make_user(name, password_hash, await self._directory.password_hash(name))
                added.append(name)
            except MailError as error:
                refused.append(f"{name}: {error.text}")

        await gatherResults([Deferred.fromCoroutine(add(name, password_hash)) for name, password_hash in users])
        if refused:
            for name in added:
                await self._directory.remove_user(name)
            raise Refusal(refused[0])
        return {"count": len(users)}

    async def _user(self, arguments: Arguments) -> str:
        name = address_of(arguments["name"]).key
        if await self._directory.password_hash(name) in (None, NO_PASSWORD):
            raise Refusal(f"there is no user {name}")
        return name

    def _own_name(self, given: str) -> str:
        address = address_of(given)
        if address.domain not in self._config.domains:
            domains = ", ".join(self._config.domains)
            raise Refusal(f"{address.domain} is not a domain of this node, which has: {domains}")
        return address.key

    # -- aliases ----------------------------------------------------------------------------------------------------

    async def _add_alias(self, arguments: Arguments) -> JSON:
        source = self._alias_source(arguments["source"])
        added = [address_of(target) for target in arguments["targets"]]
        if not added:
            raise Refusal("an alias leads to one address at least")
        before = await self._directory.alias(source)
        targets = list({target.key: target for target in (*before, *added)}.values())
        await self._directory.set_alias(source, targets)
        return _alias(source, targets)

    async def _remove_alias(self, arguments: Arguments) -> JSON:
        source = self._alias_source(arguments["source"], own=False)
        before = await self._directory.alias(source)
        if not before:
            raise Refusal(f"there is no alias {source}")
        removed = {address_of(target).key for target in arguments.get("targets", ())}
        if strangers := removed - {target.key for target in before}:
            raise Refusal(f"{source} does not lead to {', '.join(sorted(strangers))}")
        left = [target for target in before if removed and target.key not in removed]
        await self._directory.set_alias(source, left)
        return _alias(source, left)

    async def _list_aliases(self, _: Arguments) -> JSON:
        return [_alias(source, targets) for source, targets in await self._directory.aliases()]

    def _alias_source(self, given: str, *, own: bool = True) -> str:
        """`name@domain`, or `@domain` for the catch-all."""
        catch_all = given.startswith("@")
        address = address_of(f"any{given}" if catch_all else given)
        if own:
            self._own_name(str(address))
        return f"@{address.domain}" if catch_all else address.key

    # -- domains ----------------------------------------------------------------------------------------------------

    async def _list_domains(self, _: Arguments) -> JSON:
        users = [name.rpartition("@")[2] for name in await self._users()]
        sources = [source.rpartition("@")[2] for source, _ in await self._directory.aliases()]
        return [
            {"name": domain, "users": users.count(domain), "aliases": sources.count(domain)}
            for domain in self._config.domains
        ]

    # -- queue ------------------------------------------------------------------------------------------------------

    async def _list_queue(self, arguments: Arguments) -> JSON:
        """One page: those behind the item of which `after` is the id. A long queue is no reason for a large answer."""
        return [_item(item) for item in await self._queue.items(QUEUE_PAGE, int(arguments.get("after", 0)))]

    async def _show_queue(self, arguments: Arguments) -> JSON:
        item = await self._queue.item(int(arguments["id"]))
        original = item.original_recipient
        return _item(item) | {
            "original_recipient": str(original) if original else None,
            "body_type": item.body_type.value,
            "lease_owner": item.lease_owner or None,
            "transcript": item.transcript,
        }

    async def _retry_queue(self, arguments: Arguments) -> JSON:
        ids = arguments.get("ids")
        self._before_retry()
        count = await self._queue.retry(None if ids is None else [int(item) for item in ids], self._seconds())
        return {"count": count}

    async def _drop_queue(self, arguments: Arguments) -> JSON:
        return {"count": await self._queue.drop([int(item) for item in arguments["ids"]])}


def _password(arguments: Arguments) -> str:
    password = arguments["password"]
    if not password or not isinstance(password, str):
        raise Refusal("an empty password is no password")
    if "\0" in password:
        raise Refusal("a password may not have a NUL in it")
    if not is_text(password):
        raise Refusal("a password is written in UTF-8")
    return password


def _alias(source: str, targets: Sequence[Address]) -> JSON:
    return {"source": source, "targets": [str(target) for target in targets]}


def _item(item: QueueItem) -> JSON:
    return {
        "id": item.item_id,
        "message": item.transaction_id,
        "sender": str(item.sender) if item.sender else "",
        "recipient": str(item.recipient),
        "state": item.state.value,
        "size": item.body_size,
        "created": time_text(item.created),
        "due": time_text(item.due),
        "attempts": item.attempts,
        "status": str(item.last_status) if item.last_status else None,
        "reply": item.last_reply,
        "host": item.last_host,
    }
