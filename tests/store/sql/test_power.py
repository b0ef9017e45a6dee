"""
The power goes: of what was written and not synced, any part may be lost, in any order.

A VFS below the store notes every write until its file is synced. At many moments, within commits and checkpoints as
between them, it is noted what a disk could hold then; each is opened again and must hold all that had been told to be
durable by that time, whole.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from threading import Lock

import apsw
import pytest

from twisted_mail_node.mail.columns import INLINE_BODY_OCTETS, FetchItem
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.sqlite import checkpoints
from twisted_mail_node.testing.samples import body, message, outgoing, place, transaction

ANN, BOB = "ann@example.test", "bob@example.test"
CUTS = 60


@dataclass
class Cut:
    """What the disk holds when the power goes, and what was told to be durable before."""

    files: dict[str, bytes]
    told: frozenset[str]


@dataclass
class Disk:
    """The files as they are on the disk for certain, and what is on its way there."""

    chance: random.Random
    synced: dict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))
    pending: dict[str, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    told: set[str] = field(default_factory=set)
    cuts: list[Cut] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    writes: int = 0

    def write(self, name, offset, data):
        with self.lock:
            self.pending[name].append((offset, bytes(data)))
            self.writes += 1
            if self.writes % 7 == 0:
                self._cut()

    def truncate(self, name, size):
        with self.lock:
            self.pending[name].append((size, None))

    def sync(self, name):
        with self.lock:
            self.synced[name] = applied(self.synced[name], self.pending.pop(name, []))

    def remove(self, name):
        with self.lock:
            self.synced.pop(name, None)
            self.pending.pop(name, None)

    def tell(self, identity):
        with self.lock:
            self.told.add(identity)
            self._cut()

    def _cut(self):
        files = dict(self.synced)
        for name, writes in self.pending.items():
            landed = [write for write in writes if self.chance.random() < 0.5]
            files[name] = applied(files.get(name, b""), landed)
        self.cuts.append(Cut(files, frozenset(self.told)))


def applied(content, writes):
    image = bytearray(content)
    for offset, data in writes:
        if data is None:
            del image[offset:]
        else:
            image.extend(bytes(max(0, offset - len(image))))
            image[offset : offset + len(data)] = data
    return bytes(image)


class NotedFile(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        self._disk, self._name = disk, name.filename() if isinstance(name, apsw.URIFilename) else name
        super().__init__("unix", name, flags)

    def xWrite(self, data, offset):  # noqa: N802
        super().xWrite(data, offset)
        self._disk.write(self._name, offset, data)

    def xTruncate(self, size):  # noqa: N802
        super().xTruncate(size)
        self._disk.truncate(self._name, size)

    def xSync(self, flags):  # noqa: N802
        super().xSync(flags)
        self._disk.sync(self._name)


class NotedFiles(apsw.VFS):
    def __init__(self, disk):
        self._disk = disk
        super().__init__("noted", "unix", makedefault=True)

    def xOpen(self, name, flags):  # noqa: N802
        return NotedFile(self._disk, name, flags)

    def xDelete(self, name, sync):  # noqa: N802
        super().xDelete(name, sync)
        self._disk.remove(name)


@pytest.fixture
def disk():
    disk = Disk(random.Random(1))
    files = NotedFiles(disk)
    yield disk
    files.unregister()
    apsw.set_default_vfs("unix")


def stage(store, wait, content):
    writer = store.stage_body()
    wait(writer.write(content))
    return wait(writer.finish(content.index(b"\r\n\r\n") + 4, False))


def work(store, wait, disk):
    """Messages to two accounts and to elsewhere, small ones and staged ones, with checkpoints between."""
    for number in range(24):
        content = message("y" * 900, subject=f"m{number}")
        if number % 6 == 5:
            content = message("x" * (INLINE_BODY_OCTETS + 5_000), subject=f"m{number}")
        told = body(content) if len(content) < INLINE_BODY_OCTETS else stage(store, wait, content)
        parts = (place(ANN), place(BOB), outgoing("carl@elsewhere.test"))
        wait(store.deliver(transaction(*parts, bodies=(told,), id=f"m{number}")))
        disk.tell(f"m{number}")


def places(store, wait):
    found = []
    for name in (ANN, BOB):
        inbox = wait(wait(store.account(name)).mailbox("INBOX"))
        uids, status = wait(inbox.uids()), wait(inbox.status())
        columns = wait(inbox.fetch(uids, FetchItem.HEADER | FetchItem.SIZE))
        assert len(columns) == status.messages
        for uid, size in zip(columns.uids, columns.sizes, strict=True):
            opened = wait(inbox.open_body(uid))
            assert len(wait(opened.read(0, size + 1))) == size
            opened.close()
        found.append([header.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for header in columns.headers])
    found.append([item.transaction_id for item in wait(store.items())])
    return found


def test_what_was_told_to_be_durable_outlives_the_power(disk, tmp_path, reactor, wait, monkeypatch):
    monkeypatch.setattr(checkpoints, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(checkpoints, "RESTART_PAGES", 40)
    store = SQLiteStore(tmp_path / "mail.sqlite", reactor=reactor)
    wait(store.start())
    for name in (ANN, BOB):
        wait(store.create_account(name))
    disk.cuts.clear()
    work(store, wait, disk)
    wait(store.stop())
    assert len(disk.cuts) > CUTS
    for number, cut in enumerate(disk.chance.sample(disk.cuts, CUTS)):
        folder = tmp_path / f"cut{number}"
        folder.mkdir()
        for name, content in cut.files.items():
            (folder / name.rpartition("/")[2]).write_bytes(content)
        again = SQLiteStore(folder / "mail.sqlite", reactor=reactor)
        wait(again.start())
        found = places(again, wait)
        wait(again.stop())
        for place_ in found:
            assert sorted(place_) == sorted(set(place_)), "something is there twice"
            assert cut.told <= set(place_), "something that was told to be durable is lost"
        assert set(found[0]) == set(found[1]) == set(found[2]), "something is there in part"
