"""
Connecting to the PostgreSQL server: what every connection asks for, and what its failures mean.

Neighbours: `engine`, which opens connections for the writer, the readers and the listener.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg import conninfo, errors

from ....mail.errors import Damaged, PermanentFailure, TemporaryFailure, Unavailable
from ....mail.status import EnhancedStatus
from .connection import prepare
from .patience import SILENT_SECONDS, PatientConnection

# What is asked for unless the DSN says otherwise. Of several hosts, the one that takes writes; a server that is gone
# without a word is given up after 15 s.
_DEFAULTS: dict[str, str | int] = {
    "application_name": "twisted_mail_node",
    "connect_timeout": 5,
    "target_session_attrs": "read-write",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

# What each session is set to.
_SESSION = {
    # A node that stands still in a transaction does not keep others from what it has locked for longer than this.
    "idle_in_transaction_session_timeout": "30s",
    # Every statement is made to go by indexes, from few rows to few. So its plan is made once and stays, whatever the
    # statistics say at the moment; left to itself the server reads whole tables while they are small, and keeps to it.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}

# What is committed has been acknowledged to somebody: it is on a disk, whatever the database is set to otherwise.
_DURABLE = (
    "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END"
)

_OLDEST = 130_000

# The server ends or refuses the connection, or takes no writes any more: another one may.
_GONE = frozenset({"57P01", "57P02", "57P03", "57P05", "25006", "25P03", "53300"})
_PORTS = re.compile(r"[0-9, ]*")
_DISK_FULL = "53100"
_DAMAGED = frozenset({"XX001", "XX002"})


def parameters_of(dsn: str) -> dict[str, Any]:
    """
    The connection's parameters, with our defaults.

    Raises: PermanentFailure: it is no connection string.
    """
    try:
        given = conninfo.conninfo_to_dict(dsn)
        # In a URI, what stands behind a slash in a password passes for a port: it must not be told as a wrong one.
        if not _PORTS.fullmatch(str(given.get("port", ""))):
            raise psycopg.ProgrammingError("a port is a number")
        return {**_DEFAULTS, **given}
    except psycopg.ProgrammingError:
        # What libpq says of it quotes it, and its password may be where another word was expected.
        raise PermanentFailure(
            "`dsn` in [store] is not a PostgreSQL connection string: neither `name=value` with a space between, where "
            "a value with a space in it stands in single quotes, nor a URI, where such signs are written as %20"
        ) from None


def place_of(parameters: dict[str, Any]) -> str:
    """Which database it is, for messages; without its password."""
    hosts = parameters.get("host", "the local server")
    return f"the PostgreSQL database {parameters.get('dbname', '')} at {hosts}".replace("  ", " ")


def connect(parameters: dict[str, Any]) -> PatientConnection:
    """A connection in autocommit mode. Raises: psycopg.Error."""
    connection = PatientConnection.connect(autocommit=True, **parameters)
    connection.patience = SILENT_SECONDS
    prepare(connection)
    settings = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items())
    connection.execute(f"SELECT {settings}, {_DURABLE}", prepare=False)
    return connection


def check_server(connection: psycopg.Connection[Any]) -> None:
    """Raises: PermanentFailure: the server is too old, or the database can't have all texts."""
    database, version = connection.info.dbname, connection.info.server_version
    if version < _OLDEST:
        raise PermanentFailure(
            f"the PostgreSQL server of {database} is of version {version // 10_000}; this program needs "
            f"{_OLDEST // 10_000} or later"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise PermanentFailure(
            f"the database {database} has the encoding {encoding}, where no text of another script can be kept; "
            "make one by createdb -E UTF8 -T template0"
        )


def cannot_open(place: str, error: psycopg.Error) -> PermanentFailure:
    """What is told at a start of a database that cannot be worked with, and what to do about it."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else "no reason was told"
    return PermanentFailure(f"{place} cannot be used: {reason}; look at `dsn` in [store], and at the server's log")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, or of no use any more."""
    if not isinstance(error, psycopg.Error) or isinstance(error, errors.PipelineAborted):
        return False
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith("08") or state in _GONE


def is_collision(error: BaseException) -> bool:
    """Whether two transactions got in each other's way."""
    return isinstance(error, errors.DeadlockDetected | errors.SerializationFailure | errors.UniqueViolation)


def failure_of(error: Exception) -> TemporaryFailure:
    """What a door says of a failure of the database; the cause is kept for the log."""
    if is_lost(error):
        failure: TemporaryFailure = Unavailable("the database cannot be reached")
    elif isinstance(error, psycopg.Error) and error.sqlstate == _DISK_FULL:
        failure = TemporaryFailure("the storage is full", EnhancedStatus(4, 3, 1))
    elif isinstance(error, psycopg.Error) and error.sqlstate in _DAMAGED:
        failure = Damaged("the storage is damaged")
    else:
        failure = TemporaryFailure("the storage failed")
    failure.__cause__ = error
    return failure
