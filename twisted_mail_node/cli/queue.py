"""`mailnode queue`: mail that waits for other nodes."""

from __future__ import annotations

import click

from ..node.control.operations import JSON
from .output import show, show_table
from .session import Session, json_option, pass_session

_COLUMNS = {
    "id": "id",
    "state": "state",
    "attempts": "tries",
    "due": "next try",
    "size": "octets",
    "sender": "from",
    "recipient": "to",
    "reply": "last answer",
}


@click.group()
def queue() -> None:
    """Mail that waits for other nodes."""


@queue.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List what waits."""
    found: list[JSON] = []
    with session.access() as access:
        while page := access.perform("queue.list", {"after": found[-1]["id"] if found else 0}):
            found += page
    show_table(found, as_json, _COLUMNS, numbers=("id", "attempts", "size"))


@queue.command("show")
@click.argument("item", metavar="ID", type=int)
@json_option
@pass_session
def show_(session: Session, item: int, as_json: bool) -> None:
    """Show one entry with the dialogue of its last try."""
    answer = session.perform("queue.show", id=item)
    transcript = answer["transcript"]
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in answer.items() if key != "transcript" and value]
    show(answer, as_json, "\n".join([*lines, *(["", transcript] if transcript else [])]))


@queue.command()
@click.argument("items", metavar="[ID...]", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@json_option
@pass_session
def retry(session: Session, items: tuple[int, ...], everything: bool, as_json: bool) -> None:
    """Try entries again now."""
    if bool(items) == everything:
        raise click.UsageError("name entries by their ID, or say --all")
    answer = session.perform("queue.retry", ids=None if everything else items)
    show(answer, as_json, f"{answer['count']} to be tried now")


@queue.command()
@click.argument("items", metavar="ID...", type=int, nargs=-1, required=True)
@json_option
@pass_session
def drop(session: Session, items: tuple[int, ...], as_json: bool) -> None:
    """Remove entries without a word to anyone."""
    answer = session.perform("queue.drop", ids=items)
    show(answer, as_json, f"{answer['count']} removed")
