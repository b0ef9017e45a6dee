"""`mailnode restore`: a backup becomes the store."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..node.safekeeping.restoring import restore_backup
from .output import show
from .progress import telling
from .session import Session, json_option, pass_session


@click.command()
@click.argument("backup", metavar="BACKUP", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put it in the place of the store that is there, which is kept aside.")
@click.option(
    "--unchanged",
    is_flag=True,
    help="Nothing was received or changed since the backup (a move to another machine): clients go on with what they "
    "have.",
)
@click.option("--damaged-too", is_flag=True, help="Take it though mail is missing from it.")
@json_option
@pass_session
def restore(session: Session, backup: Path, replace: bool, unchanged: bool, damaged_too: bool, as_json: bool) -> None:
    """
    Make a backup the store, while no node runs.

    What came after the backup is not in it. So that no client takes one message for another, all mailboxes get a new
    UIDVALIDITY: IMAP clients fetch their mail again, POP3 clients do not.
    """
    with session.store_at_rest() as (config, database), telling(as_json) as progress:
        answer = restore_backup(
            config,
            database,
            backup,
            partial(progress.tell, "copying"),
            replace=replace,
            unchanged=unchanged,
            damaged_too=damaged_too,
        )
    lines = [f"{answer['accounts']} accounts with {answer['mailboxes']} mailboxes are back in {answer['store']}"]
    if answer["kept"]:
        lines.append(f"what was there is kept as {answer['kept']}")
    if answer["items"]:
        lines.append(
            f"{answer['items']} entries of the queue will be tried again: those that were sent since the backup arrive "
            "twice, unless `mailnode queue drop` removes them before the start"
        )
    show(answer, as_json, "\n".join(lines))
