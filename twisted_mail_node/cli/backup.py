"""`mailnode backup`: a copy of the store, also while the node runs."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click

from ..node.control.access import Access
from ..node.control.direct import StoreConnection
from ..node.control.operations import JSON
from ..node.safekeeping.backups import back_up_resting, target_of
from .output import show
from .progress import Telling, telling
from .session import Failed, Session, failing, json_option, pass_session

ASK_SECONDS = 0.2
"""How often the node is asked how far it is."""


@click.command()
@click.argument("target", metavar="FILE|FOLDER", type=click.Path(path_type=Path))
@json_option
@pass_session
def backup(session: Session, target: Path, as_json: bool) -> None:
    """
    Copy the store to FILE, or into FOLDER under a name made of the time.

    The copy has mail, users, aliases and the queue as of one moment; the node goes on. Keep your configuration file
    and the certificate's key besides: they are not in it.
    """
    path = target_of(target)
    began = time.monotonic()
    with session.access() as access, telling(as_json) as progress:
        if isinstance(access, StoreConnection):
            with failing():
                back_up_resting(session.config(), access.database, path, partial(progress.tell, "copying"))
        else:
            _by_node(access, path, progress)
    octets, seconds = path.stat().st_size, round(time.monotonic() - began, 1)
    answer = {"target": str(path), "octets": octets, "seconds": seconds}
    show(answer, as_json, f"{path} was made: {octets / (1024 * 1024):,.1f} MiB in {seconds} s")


def _by_node(access: Access, target: Path, progress: Telling) -> None:
    state: JSON = access.perform("backup.begin", {"target": str(target)})
    try:
        while state["state"] == "running":
            progress.tell("copying", state["done"], state["of"])
            time.sleep(ASK_SECONDS)
            state = access.perform("backup.show", {})
    except KeyboardInterrupt:
        access.perform("backup.end", {})
        raise
    if state["state"] != "made":
        raise Failed(state["reason"])
