"""`mailnode copy`: a store into another, as when a node is to have another kind of store."""

from __future__ import annotations

import click

from ..node.control.operations import Refusal
from ..node.copying import copy as copy_between
from ..node.errors import CannotStart
from .journey import Journey
from .output import show
from .session import REFUSED, Failed, Session, json_option, pass_session


@click.command("copy")
@click.option("--to", "target", metavar="FILE", required=True, help="Configuration with the store to copy into.")
@json_option
@pass_session
def copy(session: Session, target: str, as_json: bool) -> None:
    """
    Copy users, aliases, mail and queue into the store of another configuration.

    No node may run on either store. What was cut off is simply started again; in the end both stores are compared.
    """
    source_config, target_config = session.config(), session.other_config(target)
    try:
        with Journey(quiet=as_json) as journey:
            counts = copy_between(source_config, target_config, journey.begin, journey.advance)
    except (CannotStart, Refusal) as error:
        raise Failed(str(error)) from error
    rate = counts.messages / max(journey.seconds, 0.001)
    answer = {
        "accounts": counts.accounts,
        "aliases": counts.aliases,
        "messages": counts.messages,
        "queue": counts.items,
        "seconds": round(journey.seconds, 3),
        "differences": counts.differences,
    }
    sentence = f"{counts.messages:,} messages copied in {journey.seconds:.1f} s ({rate:,.0f}/s)"
    show(answer, as_json, f"{sentence}; accounts: {counts.accounts:,}, entries of the queue: {counts.items:,}")
    if counts.differences:
        if not as_json:
            click.echo("\n".join(["the stores differ:", *counts.differences]), err=True)
        raise SystemExit(REFUSED)
