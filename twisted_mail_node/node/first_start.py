"""
What a start makes for itself, once: postmaster's mailbox, and without a configuration file a certificate and an
account to begin with.

Everything goes into the state folder and is found there by later starts.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

from ..interfaces.store import IDirectory
from ..mail.errors import AccountExists, TemporaryFailure
from .config.sections import TLSSettings
from .control.operations import NO_PASSWORD, Hasher
from .state import FIRST_ACCOUNT, StateFolder
from .tls import ServerTLS, make_certificate

_PASSWORD_OCTETS = 15


def load_own_certificate(tls: ServerTLS, state: StateFolder, names: Sequence[str]) -> None:
    """
    Load the certificate that lies in the state folder, made before if there is none.

    Raises: CannotStart: what lies there can't be used, or nothing can be written.
    """
    if not state.certificate.exists() or not state.private_key.exists():
        certificate, private_key = make_certificate(names, datetime.now(UTC))
        state.write(state.private_key, private_key)
        state.write(state.certificate, certificate)
    tls.load(own_settings(state))


def own_settings(state: StateFolder) -> TLSSettings:
    """Where that certificate lies."""
    return TLSSettings(certificate=state.certificate, private_key=state.private_key)


async def make_postmaster(directory: IDirectory, name: str, new_mailboxes: Sequence[tuple[str, str | None]]) -> None:
    """
    Make sure that mail for postmaster has somewhere to go (RFC 5321 §4.5.1): a user without a password.

    Nobody can log in as that before `mailnode user add` gives one, unless another source of users knows one. Where that
    can't be told now, the node starts all the same.
    """
    try:
        if await directory.password_hash(name) is not None:
            return
        await directory.add_user(name, NO_PASSWORD, new_mailboxes)
    except TemporaryFailure:
        # It may have been made on the word of a source that is silent now.
        with suppress(AccountExists):
            await directory.add_user(name, NO_PASSWORD, new_mailboxes)
    except AccountExists:
        # Made on the word of another source, which knows it no more.
        await directory.set_password_hash(name, NO_PASSWORD)


async def make_first_account(
    state: StateFolder, directory: IDirectory, hasher: Hasher, new_mailboxes: Sequence[tuple[str, str | None]]
) -> None:
    """
    Make FIRST_ACCOUNT with a random password, told in a file of the state folder.

    Not if it exists, and not again once its password was changed or it was removed: the file is empty then.
    """
    if await directory.password_hash(FIRST_ACCOUNT) is not None:
        return
    path = state.first_password
    # The file comes first, so that a start that was broken off between the two is made good by the next.
    password = path.read_text(encoding="ascii").strip() if path.exists() else secrets.token_urlsafe(_PASSWORD_OCTETS)
    if not password:
        return
    state.write(path, password.encode("ascii") + b"\n")
    try:
        await directory.add_user(FIRST_ACCOUNT, await hasher.hash(password), new_mailboxes)
    except AccountExists:
        return
