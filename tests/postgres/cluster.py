"""
A private PostgreSQL server in a temporary folder, to be stopped, killed, brought back and doubled by a standby.

    with Cluster() as cluster:
        psycopg.connect(cluster.dsn())

Decides how the server is set up and when it counts as ready. Does not decide what is in it: see `databases`.
Children are found as Linux shows them, in /proc.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from ..integration.processes import eventually, free_port
from . import programs

SUPERUSER = "mailnode"

# The default of 100 is soon used up by several nodes, each with a writer and readers.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_line_prefix": "%m [%p] %a ",
}
# A cut of power is not tried on such a server, and a kill by signal leaves what the system was given to write.
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """
    One server with data of its own; it listens on 127.0.0.1 and in its folder.

    Args:
        durable: sync as a server in use does; else what does nothing but protect from a power cut is left out.
        settings: of postgresql.conf, by name, above those that are always set.
        port: a free one by default.
    """

    def __init__(
        self, *, durable: bool = False, settings: Mapping[str, str] | None = None, port: int | None = None
    ) -> None:
        # Short, since the path of a Unix socket is, and where another account may look into it.
        self.folder = Path(tempfile.mkdtemp(prefix="mailnode-pg-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = port or free_port("127.0.0.1")
        self._durable = durable
        self._settings = _SETTINGS | ({} if durable else _NOT_DURABLE) | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        if (owner := programs.owner()) is not None:
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    @property
    def name(self) -> str:
        """How the server calls itself towards a primary."""
        return f"server_{self.port}"

    def dsn(self, database: str = "postgres", **parameters: object) -> str:
        """Where the server is, for psycopg; `parameters` are libpq's, and stand above ours."""
        known = {"host": "127.0.0.1", "port": self.port, "user": SUPERUSER, "dbname": database}
        return make_conninfo("", **known | parameters)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection that commits each statement."""
        return psycopg.connect(self.dsn(database, host=self.folder), autocommit=True)

    def create(self) -> None:
        """Make the data. Its collation is not the plain order of octets, as it is not where people have one."""
        collation = ["--locale-provider=icu", "--icu-locale=en-US"] if programs.version() >= 15 else []
        sync = [] if self._durable else ["--no-sync"]
        options = ["--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", "-D", self.data, *options, *collation, *sync)

    def start(self) -> None:
        """Start the server and return once it takes connections."""
        settings = self._settings | {"port": str(self.port), "cluster_name": self.name}
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [programs.program("postgres"), "-D", self.data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **programs.as_unprivileged(),
            )
        eventually(self._takes_connections, 60)

    def stop(self) -> None:
        """Stop it "fast": sessions are cut, what was committed is written."""
        if self._is_running():
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def kill(self) -> None:
        """End the server and all its sessions at once, between two instructions."""
        if not self._is_running():
            return
        # Held, it makes no more children; a session that outlived it could still finish a commit.
        self._process.send_signal(signal.SIGSTOP)
        eventually(lambda: _stat_of(self._process.pid)[0:1] == ["T"])
        children = _children_of(self._process.pid)
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait(60)
        eventually(lambda: not any(is_alive(pid) for pid in children))

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Kill the server and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder)

    def standby(self, *, synchronous: bool, port: int | None = None) -> Cluster:
        """
        A second server that follows this one, started. `port` is a free one by default.

        With `synchronous`, from now on this one answers a commit only when the standby has it on its disk too.
        """
        standby = Cluster(durable=self._durable, settings=self._settings, port=port)
        copying = ["-D", standby.data, "-d", self.dsn(), "--checkpoint=fast", "--write-recovery-conf"]
        standby._run("pg_basebackup", *copying, *([] if self._durable else ["--no-sync"]))
        standby.start()
        eventually(lambda: self._following(standby.name) in ("async", "sync"))
        if synchronous:
            self._ask(f"ALTER SYSTEM SET synchronous_standby_names = '{standby.name}'")
            self._ask("SELECT pg_reload_conf()")
            eventually(lambda: self._following(standby.name) == "sync")
        return standby

    @contextmanager
    def deaf(self, *, then_cut: bool = False) -> Iterator[None]:
        """
        Meanwhile a standby takes nothing from its primary.

        What was sent by then waits in between; it never arrives if the connection is `then_cut`, as when the primary's
        whole machine is lost.
        """
        receiver = self._ask("SELECT pid FROM pg_stat_wal_receiver")
        os.kill(receiver, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(receiver, signal.SIGKILL if then_cut else signal.SIGCONT)
        if then_cut:
            # The server begins anew when one of its processes ends so.
            eventually(lambda: not is_alive(receiver))
            eventually(self._takes_connections)

    def has_unanswered_commits(self) -> bool:
        """Whether commits wait for a synchronous standby."""
        return bool(self._ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))

    def promote(self) -> None:
        """Make a standby the server that is written to; returns once it is."""
        self._ask("SELECT pg_promote(true, 60)")
        eventually(lambda: self._ask("SELECT pg_is_in_recovery()") is False)

    def log_tail(self, octets: int = 10_000) -> str:
        """The last part of what the server said."""
        return self.log.read_bytes()[-octets:].decode(errors="replace") if self.log.exists() else ""

    def _following(self, name: str) -> object:
        """How the standby of this name follows; None while it does not."""
        return self._ask(
            f"SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '{name}'"
        )

    # Any: what a statement gives is known to whoever asks.
    def _ask(self, statement: str) -> Any:
        """The first value that a statement gives; None where it gives no row."""
        with self.connect() as connection:
            cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def _run(self, name: str, *arguments: object) -> None:
        command = [programs.program(name), *map(str, arguments)]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            timeout=120,
            **programs.as_unprivileged(),
        )
        assert done.returncode == 0, f"{name} gave {done.returncode}:\n{done.stdout}"

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _takes_connections(self) -> bool:
        assert self._is_running(), f"the server ended:\n{self.log_tail()}"
        try:
            self.connect().close()
        except psycopg.OperationalError:  # not there yet, or still recovering
            return False
        return True

    def __enter__(self) -> Cluster:
        self.create()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def _children_of(pid: int) -> list[int]:
    """The processes that this one has made and that have not ended."""
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _stat_of(entry.name)[1:2] == [str(pid)]]


def is_alive(pid: int) -> bool:
    """Whether the process is there, and has not merely been waited for by nobody yet."""
    return _stat_of(pid)[0:1] not in ([], ["Z"])


def _stat_of(pid: int | str) -> list[str]:
    """What /proc tells behind the program's name: state, parent, …; nothing of a process that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
