"""`mailnode upgrade`: the store's tables as this version wants them, ahead of a start or on trial."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from ..node.safekeeping.upgrading import Upgraded, try_upgrade
from ..node.safekeeping.upgrading import upgrade as upgrade_store
from .output import show
from .progress import telling
from .session import REFUSED, Session, json_option, pass_session


@click.command()
@click.option("--dry-run", is_flag=True, help="Try it on a copy, which is verified and removed then.")
@click.option("--in", "folder", metavar="FOLDER", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="Where the copy is made. Default: the state folder.")  # fmt: skip
@click.option("--no-copy", is_flag=True, help="Do not keep the file as it was: there is a backup.")
@json_option
@pass_session
def upgrade(session: Session, dry_run: bool, folder: Path | None, no_copy: bool, as_json: bool) -> None:
    """
    Bring the store to this version's schema, while no node runs.

    A start does the same. The file as it was is kept beside it. With --dry-run nothing is changed, and a node may run.
    """
    if dry_run:
        with session.store_in_use() as (config, database), telling(as_json) as progress:
            done = try_upgrade(config, database, folder, partial(progress.tell, "copying"))
    else:
        with session.store_at_rest() as (config, database):
            done = upgrade_store(config, database, copy_first=not no_copy)
    show(asdict(done), as_json, _sentence(done, dry_run))
    if done.findings:
        raise SystemExit(REFUSED)


def _sentence(done: Upgraded, dry_run: bool) -> str:
    if done.before == done.after:
        lines = [f"the schema is {done.after}, this version's: nothing to do"]
    else:
        would = "would be" if dry_run else "was"
        lines = [f"the store {would} brought from schema {done.before} to {done.after} in {done.seconds} s"]
    if done.findings:
        lines += ["the copy is not whole:", *(f"  {finding}" for finding in done.findings)]
    elif dry_run:
        lines.append("the copy was verified: nothing is missing from it")
    return "\n".join(lines)
