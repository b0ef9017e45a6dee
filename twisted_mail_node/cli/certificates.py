"""`mailnode certificate`: what clients are shown, and that renewed files are read."""

from __future__ import annotations

import click

from ..node.control.certificates import told_of
from ..node.control.direct import StoreConnection
from ..node.control.operations import JSON
from ..node.errors import CannotStart
from ..node.tls import load_contexts
from .output import show_table
from .session import Failed, Session, json_option, pass_session

_COLUMNS = {"file": "file", "kind": "key", "names": "names", "expires": "expires"}


@click.group()
def certificate() -> None:
    """The certificates that clients are shown."""


@certificate.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the certificates: those in use, or while no node runs, those that a start would read."""
    with session.access() as access:
        rows = access.perform("certificate.list", {}) if not isinstance(access, StoreConnection) else _read(session)
    show_table(rows, as_json, _COLUMNS)


@certificate.command()
@json_option
@pass_session
def reload(session: Session, as_json: bool) -> None:
    """
    Let the running node read its certificates and keys again, for connections from now on.

    It does so by itself some seconds after the files have changed. If they can't be used, the reason is told, and
    those in use stay.
    """
    with session.access() as access:
        if isinstance(access, StoreConnection):
            raise Failed("no node runs; its next start reads the certificates")
        rows = access.perform("certificate.reload", {})
    show_table(rows, as_json, _COLUMNS)


def _read(session: Session) -> JSON:
    config = session.config()
    try:
        return told_of(load_contexts(config.tls).pairs) if config.tls is not None else []
    except CannotStart as error:
        raise Failed(str(error)) from error
