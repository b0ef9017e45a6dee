"""`mailnode export`: mail of accounts here, into files that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from ..moving.exporting import Export, NoSuchMailboxes, chosen
from ..moving.formats.maildir_writing import MaildirTarget
from ..moving.formats.mbox_writing import MboxTarget
from ..moving.target import Target
from ..node.control.shelf import NodeShelf
from .journey import Journey, tell_each
from .output import show
from .session import REFUSED, Failed, Session, json_option, pass_session

_TARGETS: dict[str, Callable[[Path], Target]] = {"maildir": MaildirTarget, "mbox": MboxTarget}


@click.command("export")
@click.argument("form", metavar="maildir|mbox", type=click.Choice(sorted(_TARGETS)))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("account", metavar="[NAME@DOMAIN]", default="")
@click.option("--mailbox", "names", metavar="MAILBOX", multiple=True, help="This one; may be given several times.")
@json_option
@pass_session
def export(session: Session, form: str, folder: Path, account: str, names: tuple[str, ...], as_json: bool) -> None:
    """
    Write mail into FOLDER: of one account, or of each account into a folder with its name.

    What an earlier export has written is brought up to date; nothing is removed.
    """
    if names and not account:
        raise click.UsageError("--mailbox needs an account")
    with session.access() as access, Journey(quiet=as_json) as journey:
        shelf = NodeShelf(access)
        exporting = Export(shelf, journey.begin, journey.advance)
        accounts = [account.lower()] if account else shelf.accounts()
        try:
            for name in accounts:
                target = _TARGETS[form](folder if account else folder / name)
                exporting.run(name, chosen(shelf, name, names), target)
        except (OSError, NoSuchMailboxes) as error:
            raise Failed(str(error)) from error
    report = exporting.report
    answer = {
        "accounts": list(accounts),
        "mailboxes": report.mailboxes,
        "exported": report.exported,
        "there_already": report.there_already,
        "octets": report.octets,
        "seconds": round(journey.seconds, 3),
        "left_out": [{"name": name, "reason": reason} for name, reason in report.left_out],
    }
    rate = report.exported / max(journey.seconds, 0.001)
    there = f"; {report.there_already:,} were there already" if report.there_already else ""
    sentence = f"{report.exported:,} messages exported in {journey.seconds:.1f} s ({rate:,.0f}/s){there}"
    show(answer, as_json, sentence)
    if not as_json:
        tell_each("left out", report.left_out, len(report.left_out))
    if report.left_out:
        raise SystemExit(REFUSED)
