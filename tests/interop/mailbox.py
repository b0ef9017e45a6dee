"""What programs send and should find, and the mailbox it comes to, as imapclient sees it."""

from __future__ import annotations

import imapclient

from ..integration.processes import eventually, trusting
from .conftest import PASSWORD, USER, Interop


def message(token: str) -> bytes:
    lines = [f"From: {USER}", f"To: {USER}", f"Subject: {token}", "", "First line", ".", "..two dots", "last"]
    return "".join(line + "\r\n" for line in lines).encode()


def client(interop: Interop) -> imapclient.IMAPClient:
    session = imapclient.IMAPClient(
        "localhost", interop.port("imap", "implicit"), ssl=True, ssl_context=trusting(interop.certificate), timeout=20
    )
    session.login(USER, PASSWORD)
    return session


def arrived(interop: Interop, token: str, folder: str = "INBOX", utf8: bool = False) -> bytes:
    """The message with this subject, once it is there; `utf8`: its header as it is, and not in ASCII."""
    with client(interop) as session:
        if utf8:
            assert session.enable("UTF8=ACCEPT")
        session.select_folder(folder)

        def look() -> bytes | None:
            session.noop()
            found = session.search(["SUBJECT", token])
            return session.fetch(found, ["BODY.PEEK[]"])[found[0]][b"BODY[]"] if found else None

        return eventually(look)
