"""
How long deliveries wait: while the database grows, with checkpoints under way, and while it is backed up.

    python benchmarks/stalls.py FOLDER [--seconds 60] [--rate 500] [--fill 0] [--bare]

makes a store in FOLDER, fills it with so many MiB first, and offers messages of 4 KB at a steady rate, in bursts of 5;
each is timed from when it was due to its commit, so that whoever waits behind a stall counts as well. Then the same
again while backups are made one after the other. With --bare, only the disk is asked: a write of 24 KB and an fsync,
at the rate of the bursts.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure

from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.testing.samples import body, message, place, transaction

BURST = 5
ACCOUNTS = [f"user{number}@example.test" for number in range(200)]
BODY = body(message("m" * 3_800))

reactor: Any = installed  # Any: it provides more interfaces than its type says.


def percentiles(title: str, waits: list[float]) -> None:
    """Print what of these waits is of interest, in milliseconds."""
    waits = sorted(waits)
    shown = [f"{name} {1000 * waits[min(len(waits) - 1, int(len(waits) * share))]:.1f}" for name, share in _SHARES]
    print(f"{title}: {len(waits)} waits in ms: {', '.join(shown)}", flush=True)


_SHARES = (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))


async def offer(store: SQLiteStore, seconds: float, rate: float) -> list[float]:
    """Deliver at this rate for so long. Returns how long each waited."""
    waits: list[float] = []
    begun = time.monotonic()
    pending: list[Deferred[None]] = []
    bursts = int(seconds * rate / BURST)
    for burst in range(bursts):
        due = begun + burst * BURST / rate
        if (early := due - time.monotonic()) > 0:
            await deferLater(reactor, early)

        def committed(_: object, due: float = due) -> None:
            waits.append(time.monotonic() - due)

        for number in range(BURST):
            to = place(ACCOUNTS[(burst * BURST + number) % len(ACCOUNTS)])
            pending.append(store.deliver(transaction(to, bodies=(BODY,))).addCallback(committed))
        pending = [one for one in pending if not one.called]
    await gatherResults(pending)
    return waits


async def fill(store: SQLiteStore, mebibytes: int) -> None:
    """Deliver so much as fast as it goes."""
    for start in range(0, mebibytes * 256, 1000):
        await gatherResults(
            [
                store.deliver(transaction(place(ACCOUNTS[(start + number) % len(ACCOUNTS)]), bodies=(BODY,)))
                for number in range(1000)
            ]
        )


async def with_backups(store: SQLiteStore, folder: Path, seconds: float, rate: float) -> None:
    """The same while copies are made without a pause."""
    count = 0
    running = True

    async def copy() -> None:
        nonlocal count
        while running:
            target = folder / "copy.sqlite"
            began = time.monotonic()
            await store.back_up(target, lambda done, of: None)
            size = target.stat().st_size
            print(f"  a copy of {size / 2**20:.0f} MiB took {time.monotonic() - began:.1f} s", flush=True)
            await deferToThread(target.unlink)
            count += 1

    copying = Deferred.fromCoroutine(copy())
    waits = await offer(store, seconds, rate)
    running = False
    await copying
    percentiles(f"with {count} backups", waits)


def bare(folder: Path, seconds: float, rate: float) -> None:
    """What the disk alone takes for the log of a burst."""
    waits = []
    path = folder / "bare"
    with open(path, "wb", buffering=0) as file:
        begun = time.monotonic()
        for burst in range(int(seconds * rate / BURST)):
            due = begun + burst * BURST / rate
            if (early := due - time.monotonic()) > 0:
                time.sleep(early)
            file.write(b"m" * 24_576)
            os.fdatasync(file.fileno())
            waits.append(time.monotonic() - due)
    path.unlink()
    percentiles("the disk alone", waits)


async def main(arguments: argparse.Namespace) -> None:
    """Measure."""
    folder = arguments.folder
    store = SQLiteStore(folder / "mail.sqlite", reactor=reactor)
    await store.start()
    for account in ACCOUNTS:
        await store.create_account(account)
    await fill(store, arguments.fill)
    percentiles("alone", await offer(store, arguments.seconds, arguments.rate))
    log = (folder / "mail.sqlite-wal").stat().st_size
    print(f"  the log is {log / 2**20:.0f} MiB", flush=True)
    await with_backups(store, folder, arguments.seconds, arguments.rate)
    log = (folder / "mail.sqlite-wal").stat().st_size
    print(f"  the log is {log / 2**20:.0f} MiB", flush=True)
    await store.stop()
    reactor.stop()


def failed(failure: Failure) -> None:
    """Say why, and end."""
    failure.printTraceback()
    reactor.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rate", type=float, default=500.0)
    parser.add_argument("--fill", type=int, default=0)
    parser.add_argument("--bare", action="store_true")
    given = parser.parse_args()
    if given.bare:
        bare(given.folder, given.seconds, given.rate)
    else:
        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(main(given)).addErrback(failed))
        reactor.run()
