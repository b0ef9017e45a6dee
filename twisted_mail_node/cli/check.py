"""`mailnode check`: would the node start?"""

from __future__ import annotations

import json

import click

from ..node.check import problems_of
from ..node.config import ConfigError
from .session import BAD_CONFIGURATION, Failed, Session, json_option, pass_session


@click.command()
@json_option
@pass_session
def check(session: Session, as_json: bool) -> None:
    """
    Say whether the node would start.

    If it would not with this configuration, everything that stands in its way is told, and nothing is changed.
    """
    try:
        found = problems_of(session.config())
        status = 1
    except Failed as failed:
        if not isinstance(failed.__cause__, ConfigError):
            raise
        found, status = failed.message.splitlines(), BAD_CONFIGURATION
    if as_json:
        click.echo(json.dumps({"ok": not found, "problems": found}, ensure_ascii=False))
    else:
        click.echo("\n".join(found) if found else "the node would start", err=bool(found))
    if found:
        raise SystemExit(status)
