"""Whether a database could serve as the store, found without changing anything: for who asks before a start."""

from __future__ import annotations

import psycopg

from .migration import version_of
from .opening import cannot_open, check_server, connect, parameters_of, place_of


def examine(dsn: str) -> None:
    """
    Look at the database; one without our tables would be given them.

    Raises: PermanentFailure: it can't be reached or used; the text names the remedy.
    """
    parameters = parameters_of(dsn)
    try:
        with connect(parameters) as connection:
            check_server(connection)
            version_of(connection)
    except psycopg.Error as error:
        raise cannot_open(place_of(parameters), error) from error
