"""
What each mailbox backend does in a second, at its doors: deliver, select, fetch, store, copy, expunge.

Without a protocol in front, so that what is compared is the backends and nothing else; all of them are durable, save
memory. The backends take turns, so that a machine whose speed drifts treats all alike. Beside each rate stands the CPU
time that one costs; with PostgreSQL, whose server is one of the script's own, that of the node and that of the server.

    python benchmarks/backends.py                       # all of them; three rounds
    python benchmarks/backends.py --only sqlite --json
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from processes import cpu_seconds
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.task import react

from tests.postgres.cluster import Cluster
from twisted_mail_node.mail.columns import FetchItem
from twisted_mail_node.mail.flags import FlagChange, Flags
from twisted_mail_node.mail.uid_set import UIDSet
from twisted_mail_node.store.maildir.tree import Tree
from twisted_mail_node.store.memory import MemoryStore
from twisted_mail_node.store.sql import SQLiteStore
from twisted_mail_node.store.sql.postgres import PostgresStore
from twisted_mail_node.testing.samples import body, message, place, transaction

KINDS = ("memory", "sqlite", "sqlite+maildir", "postgres", "postgres+maildir")
BIG = "big@bench.test"
SLICE = 5_000


class Backend:
    """One kind of store, with its data in a folder of its own."""

    def __init__(self, name: str, reactor, folder: Path) -> None:
        self.name = name
        self.cluster: Cluster | None = None
        database, _, bodies = name.partition("+")
        tree = Tree(folder / f"{name}-files") if bodies else None
        if database == "memory":
            self.store = MemoryStore(reactor)
        elif database == "sqlite":
            self.store = SQLiteStore(folder / f"{name}.sqlite", reactor=reactor, tree=tree)
        else:
            self.cluster = Cluster(durable=True, settings={"shared_buffers": "1GB", "max_wal_size": "4GB"})
            self.cluster.create()
            self.cluster.start()
            self.store = PostgresStore(self.cluster.dsn(), reactor=reactor, tree=tree)

    def database_seconds(self) -> float:
        """CPU time of the database's own processes."""
        if self.cluster is None:
            return 0.0
        pid = int((self.cluster.data / "postmaster.pid").read_text().splitlines()[0])
        return cpu_seconds([pid])

    def log_octets(self) -> int:
        """How far PostgreSQL's log has come."""
        if self.cluster is None:
            return 0
        with self.cluster.connect() as connection:
            return int(connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()[0][0])

    async def fill(self, options: argparse.Namespace) -> None:
        """Make the accounts, and one with a large mailbox."""
        await self.store.start()
        for number in range(options.accounts):
            await self.store.create_account(f"user{number}@bench.test")
        await self.store.create_account(BIG, [("Archive", None)])
        for start in range(0, options.mailbox, 2_000):
            count = min(2_000, options.mailbox - start)
            await gatherResults([self.store.deliver(to(BIG, options)) for _ in range(count)])

    async def stop(self) -> None:
        """End it, and its server."""
        await self.store.stop()
        if self.cluster is not None:
            self.cluster.stop()
            self.cluster.remove()


def to(account: str, options: argparse.Namespace):
    """A message of the wanted size."""
    return transaction(place(account), bodies=(body(message("x" * options.size)),))


class Round:
    """The measurements of one backend in one round, in `figures`."""

    def __init__(self, backend: Backend, options: argparse.Namespace, number: int) -> None:
        self.backend, self.store, self.options, self.number = backend, backend.store, options, number
        self.figures: dict[str, dict[str, float]] = {}

    async def each(self, name: str, count: int, works: list[Callable[[], Deferred]]) -> None:
        """Note how many of something are done in a second, one work after the other, and what CPU one of them costs."""
        database, own, start = self.backend.database_seconds(), time.process_time(), time.monotonic()
        for work in works:
            await work()
        self.figures[name] = {
            "per_second": count / (time.monotonic() - start),
            "node_microseconds": (time.process_time() - own) / count * 1e6,
            "database_microseconds": (self.backend.database_seconds() - database) / count * 1e6,
        }

    async def run(self) -> dict[str, dict[str, float]]:
        """All of them."""
        await self.deliver()
        account = await self.store.account(BIG)
        mailbox = await account.mailbox("INBOX")
        status = await mailbox.status()
        everything, rows = UIDSet.span(1, status.uid_next - 1), status.messages
        slices = [UIDSet.span(first, first + SLICE - 1) for first in range(1, status.uid_next, SLICE)]
        await self.each("select", 500, [lambda: select(mailbox)] * 500)
        for name, items in (
            ("fetch_flags_rows", FetchItem.FLAGS),
            ("fetch_envelope_rows", FetchItem.FLAGS | FetchItem.ENVELOPE),
            ("fetch_bodies", FetchItem.BODY),
        ):
            await self.each(name, rows, [lambda uids=uids, items=items: mailbox.fetch(uids, items) for uids in slices])
        one, every = (Flags.from_names([f"{name}{self.number}"]) for name in ("one", "all"))
        singles = [UIDSet.span(uid, uid) for uid in range(1, 501)]
        await self.each(
            "store_one", 500, [lambda uid=uid: mailbox.store_flags(uid, FlagChange.ADD, one) for uid in singles]
        )
        await self.each("store_rows", rows, [lambda: mailbox.store_flags(everything, FlagChange.ADD, every)])
        part = UIDSet.span(1, min(rows, 10_000))
        await self.each("copy_rows", len(part), [lambda: mailbox.copy(part, "Archive")])
        archive = await account.mailbox("Archive")
        copied = await archive.uids()
        await self.each("expunge_rows", len(copied), [lambda: archive.expunge(copied, only_deleted=False)])
        return self.figures

    async def deliver(self) -> None:
        """Messages to many accounts, from so many connections at once."""
        options, backend = self.options, self.backend
        at_once = DeferredSemaphore(options.connections)

        def all_of_them() -> Deferred:
            names = [f"user{number % options.accounts}@bench.test" for number in range(options.messages)]
            return gatherResults([at_once.run(self.store.deliver, to(name, options)) for name in names])

        wal = backend.log_octets()
        await self.each("delivered", options.messages, [all_of_them])
        self.figures["delivered"]["log_octets"] = (backend.log_octets() - wal) / options.messages


def select(mailbox) -> Deferred:
    """What a SELECT asks of the mailbox."""
    return gatherResults([mailbox.status(), mailbox.keywords(), mailbox.uids(), mailbox.first_unseen()])


async def measure(reactor, options: argparse.Namespace) -> None:
    """Run the rounds and print medians as a table or as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="mailnode-bench-"))
    backends = [Backend(kind, reactor, folder) for kind in KINDS if options.only in (None, kind)]
    rounds: dict[str, list[dict[str, dict[str, float]]]] = {backend.name: [] for backend in backends}
    try:
        for backend in backends:
            await backend.fill(options)
        for number in range(options.rounds + 1):
            for backend in backends:
                figures = await Round(backend, options, number).run()
                if number:  # the first is for warming up
                    rounds[backend.name].append(figures)
                    print(f"round {number} {backend.name}: {figures}", file=sys.stderr)
    finally:
        for backend in backends:
            await backend.stop()
        shutil.rmtree(folder, ignore_errors=True)
    if options.json:
        print(json.dumps({"machine": platform.platform(), "options": vars(options), "rounds": rounds}, indent=2))
        return
    table(rounds)


def table(rounds: dict[str, list[dict[str, dict[str, float]]]]) -> None:
    """A row a work: how many in a second, and the CPU time of node and database for one, all as medians."""
    print("| work | " + " | ".join(rounds) + " |")
    print("|---|" + "---|" * len(rounds))
    for work in next(iter(rounds.values()))[0]:
        cells = []
        for results in rounds.values():
            rates = [result[work]["per_second"] for result in results]
            node, database = (
                statistics.median(result[work][f"{whose}_microseconds"] for result in results)
                for whose in ("node", "database")
            )
            cost = f"{node:,.1f} µs" + (f" + {database:,.1f} µs" if database else "")
            cells.append(f"{statistics.median(rates):,.0f}/s ({min(rates):,.0f}-{max(rates):,.0f}), {cost}")
        print(f"| {work} | " + " | ".join(cells) + " |")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000, help="messages delivered a round (default 10000)")
    parser.add_argument("--connections", type=int, default=100, help="deliveries waited for at once (default 100)")
    parser.add_argument("--accounts", type=int, default=1_000, help="accounts they are for (default 1000)")
    parser.add_argument("--size", type=int, default=3_900, help="octets of a message's text (default 3900)")
    parser.add_argument("--mailbox", type=int, default=20_000, help="messages in the large mailbox (default 20000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each backend (default 3)")
    parser.add_argument("--only", choices=KINDS, help="measure one backend alone")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    react(lambda reactor: Deferred.fromCoroutine(measure(reactor, options)))


if __name__ == "__main__":
    main()
