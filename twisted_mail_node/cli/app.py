"""The command `mailnode` itself: options that all commands share."""

from __future__ import annotations

import click

from .. import __version__
from .aliases import alias
from .backup import backup
from .certificates import certificate
from .check import check
from .copying import copy
from .domains import domain
from .exporting import export
from .guessing import guessing
from .importing import import_
from .queue import queue
from .quota import quota
from .restore import restore
from .session import Session
from .upgrade import upgrade
from .users import user
from .verify import verify


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", "config_file", metavar="FILE", help="Configuration file. Default: ./mailnode.toml, if there.")
@click.option("--state-dir", metavar="DIR", help="State folder, in place of the configured one.")
@click.version_option(__version__, prog_name="mailnode")
@click.pass_context
def main(context: click.Context, config_file: str | None, state_dir: str | None) -> None:
    """
    Look after a mail node: its users, aliases and queue.

    Works through the node that runs, or on its store while none does. The node itself is started by
    "twistd mailnode".

    Exit status: 0 done, 1 refused or failed, 2 wrong usage or configuration.
    """
    context.obj = Session(config_file, state_dir or "")


for command in (
    user,
    alias,
    domain,
    quota,
    queue,
    certificate,
    guessing,
    import_,
    export,
    copy,
    check,
    backup,
    verify,
    restore,
    upgrade,
):
    main.add_command(command)
