"""
Where users' credentials are, as the configuration wants it: the checkers of the portal, and who exists.

Decides the order: the node's own users, the passwd file, LDAP. Neighbours: `auth` has the sources and checkers;
`assemble` puts the portal together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, succeed

from ..auth.app_passwords import AppPasswords
from ..auth.certificates import CertificateChecker
from ..auth.checker import PasswordChecker, PasswordSource
from ..auth.directory import DirectoryPasswords
from ..auth.joined import JoinedDirectory, UserSource
from ..auth.passwd_file import PasswdFile, read_passwd
from ..auth.passwords import Passwords
from ..auth.scram import ScramChecker
from ..auth.threads import HashingThreads
from ..auth.verifiers import Verifiers
from ..interfaces.credentials import app_passwords_of, verifiers_of
from ..interfaces.store import IDirectory
from ..mail.scram import ScramHash
from .config import Config
from .errors import CannotStart
from .storage import Reactor


class _Source(PasswordSource, UserSource, Protocol):
    """Knows users and their passwords."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What proves who somebody is.

    Attributes:
        directory: who exists, wherever that is known.
        checkers: of the portal.
        verifiers: makes SCRAM verifiers of new passwords; None where none are wanted.
    """

    directory: IDirectory
    checkers: Sequence[ICredentialsChecker]
    verifiers: Verifiers | None

    def password_set(self, name: str, password: str, password_hash: str) -> Deferred[None]:
        """A user has this password now."""
        return succeed(None) if self.verifiers is None else self.verifiers.make(name, password, password_hash)


def make_credentials(
    config: Config, directory: IDirectory, passwords: Passwords, threads: HashingThreads, reactor: Reactor
) -> Credentials:
    """The credentials of a node whose own users are in `directory`."""
    verifiers = make_verifiers(config, directory, threads)
    others = _other_sources(config, passwords, threads, reactor)
    joined = JoinedDirectory(directory, others, config.new_mailboxes) if others else directory
    kept = app_passwords_of(directory)
    app_passwords = None if kept is None else AppPasswords(joined, kept, reactor.seconds)
    own = DirectoryPasswords(directory, passwords, verifiers)
    checkers: list[ICredentialsChecker] = [
        PasswordChecker([own, *others], passwords, app_passwords),
        CertificateChecker(joined),
    ]
    if verifiers is not None:
        checkers.append(ScramChecker(verifiers))
    return Credentials(joined, checkers, verifiers)


def check_sources(config: Config) -> list[str]:
    """
    What is wrong with lines of the passwd file, a sentence each; they are passed over.

    Raises: CannotStart: it can't be read.
    """
    path = config.auth.passwd_file
    if path is None:
        return []
    try:
        content = read_passwd(path, config.domains)
    except (OSError, ValueError) as error:
        raise CannotStart(f"the passwd file {path} can't be read: {error}") from error
    return [f"{path}, line {number}: {reason}" for number, reason in content.mistakes]


def _other_sources(config: Config, passwords: Passwords, threads: HashingThreads, reactor: Reactor) -> list[_Source]:
    sources: list[_Source] = []
    if config.auth.passwd_file is not None:
        sources.append(PasswdFile(config.auth.passwd_file, config.domains, passwords, threads, reactor))
    return sources


def make_verifiers(config: Config, directory: IDirectory, threads: HashingThreads) -> Verifiers | None:
    """What makes and reads SCRAM verifiers, where the configuration wants any and the directory keeps them."""
    keeping = verifiers_of(directory)
    if not config.auth.scram or keeping is None:
        return None
    hashes = [ScramHash(name.upper()) for name in config.auth.scram]
    return Verifiers(directory, keeping, threads, hashes, config.auth.scram_iterations)
