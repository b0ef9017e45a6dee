"""`mailnode check`: would the node start?"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from ..node.check import problems_of, warnings
from ..node.config import ConfigError
from .session import BAD_CONFIGURATION, Failed, Session, json_option, pass_session


@click.command()
@json_option
@pass_session
def check(session: Session, as_json: bool) -> None:
    """
    Say whether the node would start.

    If it would not with this configuration, everything that stands in its way is told, and nothing is changed. What
    does not stand in its way is told as well: certificates that end soon.
    """
    try:
        config = session.config()
        found, status = problems_of(config), 1
        remarks = warnings(config, datetime.now(UTC))
    except Failed as failed:
        if not isinstance(failed.__cause__, ConfigError):
            raise
        found, status, remarks = failed.message.splitlines(), BAD_CONFIGURATION, []
    if as_json:
        click.echo(json.dumps({"ok": not found, "problems": found, "warnings": remarks}, ensure_ascii=False))
    else:
        for remark in remarks:
            click.echo(remark, err=True)
        click.echo("\n".join(found) if found else "the node would start", err=bool(found))
    if found:
        raise SystemExit(status)
