"""`mailnode alias`: addresses that lead to others."""

from __future__ import annotations

import click

from .output import show, show_table
from .session import Session, json_option, pass_session


@click.group()
def alias() -> None:
    """Addresses here that lead to others, anywhere."""


@alias.command()
@click.argument("source", metavar="NAME@DOMAIN|@DOMAIN")
@click.argument("targets", metavar="TARGET...", nargs=-1, required=True)
@json_option
@pass_session
def add(session: Session, source: str, targets: tuple[str, ...], as_json: bool) -> None:
    """
    Let an address lead to one or several others, beside those it leads to already.

    @DOMAIN takes whatever is addressed to the domain and to nobody there.
    """
    answer = session.perform("alias.add", source=source, targets=targets)
    show(answer, as_json, f"{answer['source']} leads to {', '.join(answer['targets'])}")


@alias.command()
@click.argument("source", metavar="NAME@DOMAIN|@DOMAIN")
@click.argument("targets", metavar="[TARGET...]", nargs=-1)
@json_option
@pass_session
def remove(session: Session, source: str, targets: tuple[str, ...], as_json: bool) -> None:
    """Remove an alias, or only some of the addresses that it leads to."""
    answer = session.perform("alias.remove", source=source, targets=targets)
    left = f"leads to {', '.join(answer['targets'])}" if answer["targets"] else "leads nowhere any more"
    show(answer, as_json, f"{answer['source']} {left}")


@alias.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List all aliases."""
    show_table(session.perform("alias.list"), as_json, {"source": "alias", "targets": "leads to"})
