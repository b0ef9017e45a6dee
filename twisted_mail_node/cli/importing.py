"""`mailnode import`: mail of other programs and servers, brought into an account here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from ..mail.flags import NO_FLAGS, SystemFlag, flags_of
from ..moving.formats.eml import EmlFolders
from ..moving.formats.maildir import Maildir
from ..moving.formats.mbox import Mbox
from ..moving.importing import Import, ImportReport, Told
from ..moving.source import CannotRead, Source
from ..node.control.operations import JSON
from ..node.control.shelf import NodeShelf
from .journey import Journey, tell_each
from .output import show
from .session import REFUSED, Failed, Session, json_option, pass_session

_INTO_HELP = "Put it below this mailbox, and what would go to INBOX into it."


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """What every import takes."""
    into = click.option("--into", metavar="MAILBOX", default="", help=_INTO_HELP)
    account = click.argument("account", metavar="NAME@DOMAIN")
    made: Callable[..., None] = account(into(json_option(pass_session(command))))
    return made


@click.group("import")
def import_() -> None:
    """
    Bring mail from elsewhere into an account.

    What was cut off is simply started again: what is here already is not brought twice. A message that can't be read
    is told, and the rest goes on; the exit status is 1 then.
    """


@import_.command()
@_common
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def maildir(session: Session, account: str, into: str, folder: Path, as_json: bool) -> None:
    """From a Maildir with its folders; of one that Dovecot kept, UIDs and keywords as well."""
    _bring(session, account, into, Maildir(folder), as_json)


@import_.command()
@_common
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def mbox(session: Session, account: str, into: str, path: Path, as_json: bool) -> None:
    """From an mbox file, or all below a folder."""
    _bring(session, account, into, Mbox(path, is_inbox=bool(into)), as_json)


@import_.command()
@_common
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--seen", is_flag=True, help="Mark all of it as read.")
def eml(session: Session, account: str, into: str, folder: Path, seen: bool, as_json: bool) -> None:
    """From .eml files in a folder and those below it."""
    flags = flags_of(SystemFlag.SEEN) if seen else NO_FLAGS
    _bring(session, account, into, EmlFolders(folder, flags), as_json)


@import_.command()
@_common
@click.argument("host")
@click.option("--user", metavar="NAME", help="Who it is there. Default: the account's name.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 993, or 143 without implicit TLS.")
@click.option(
    "--tls",
    type=click.Choice(["implicit", "starttls", "none"]),
    default="implicit",
    show_default=True,
    help="How the connection is protected.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates to trust in place of the system's.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
def imap(
    session: Session,
    account: str,
    into: str,
    host: str,
    user: str | None,
    port: int | None,
    tls: str,
    ca_file: Path | None,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """From an IMAP server, all mailboxes of a user there. It is only read."""
    # Not at the top: no other command shall wait for the client library.
    from ..moving.formats.imap import IMAPServer
    from ..moving.formats.imap_account import IMAPLogin, Protection, log_in

    password = _password(password_stdin)
    login = IMAPLogin(host, user or account, password, port or 0, Protection(tls), ca_file)
    try:
        client = log_in(login)
    except CannotRead as error:
        raise Failed(str(error)) from error
    try:
        _bring(session, account, into, IMAPServer(client, login.identity), as_json)
    finally:
        # Nothing was changed there that a word of farewell would have to end.
        client.shutdown()


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.buffer.readline().decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: say --password-stdin")
    return str(click.prompt("Password there", hide_input=True))


def _bring(session: Session, account: str, into: str, source: Source, as_json: bool) -> None:
    with session.access() as access, Journey(quiet=as_json) as journey:
        bringing = Import(NodeShelf(access), account.lower(), into, journey.begin, journey.advance)
        broken_off = None
        try:
            bringing.run(source)
        except CannotRead as error:
            broken_off = str(error)
    report = bringing.report
    show(_as_json(account, report, journey.seconds) | {"broken_off": broken_off}, as_json, _sentence(report, journey))
    if not as_json:
        tell_each("kept as they are, though something is wrong with them", report.remarks.first, report.remarks.count)
        tell_each("left out", report.left_out.first, report.left_out.count)
        for mailbox in report.mailboxes:
            if mailbox.lost_uids:
                click.echo(f"{mailbox.name}: its UIDs could not be kept; clients read it anew", err=True)
    if broken_off:
        raise Failed(f"broken off: {broken_off}; start it again to go on")
    if report.left_out.count:
        raise SystemExit(REFUSED)


def _sentence(report: ImportReport, journey: Journey) -> str:
    rate = report.imported / max(journey.seconds, 0.001)
    known = f"; {report.known:,} were here already" if report.known else ""
    return f"{report.imported:,} messages imported in {journey.seconds:.1f} s ({rate:,.0f}/s){known}"


def _as_json(account: str, report: ImportReport, seconds: float) -> dict[str, JSON]:
    return {
        "account": account,
        "imported": report.imported,
        "known": report.known,
        "octets": report.octets,
        "seconds": round(seconds, 3),
        "mailboxes": [
            {
                "name": mailbox.name,
                "imported": mailbox.imported,
                "known": mailbox.known,
                "keeps_uids": mailbox.keeps_uids,
            }
            for mailbox in report.mailboxes
        ],
        "left_out": _told(report.left_out),
        "remarks": _told(report.remarks),
    }


def _told(told: Told) -> JSON:
    return {"count": told.count, "first": [{"name": name, "reason": reason} for name, reason in told.first]}
