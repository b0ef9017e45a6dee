"""
Where users' credentials are, as the configuration wants it: the checkers of the portal, and who exists.

Decides the order: the node's own users, the passwd file, LDAP. Neighbours: `auth` has the sources and checkers;
`assemble` puts the portal together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred, succeed

from ..auth.app_passwords import AppPasswords
from ..auth.certificates import CertificateChecker
from ..auth.checker import PasswordChecker
from ..auth.directory import DirectoryPasswords
from ..auth.passwords import Passwords
from ..auth.scram import ScramChecker
from ..auth.threads import HashingThreads
from ..auth.verifiers import Verifiers
from ..interfaces.credentials import app_passwords_of, verifiers_of
from ..interfaces.store import IDirectory
from ..mail.scram import ScramHash
from .config import Config
from .storage import Reactor


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
    kept = app_passwords_of(directory)
    app_passwords = None if kept is None else AppPasswords(directory, kept, reactor.seconds)
    own = DirectoryPasswords(directory, passwords, verifiers)
    checkers: list[ICredentialsChecker] = [
        PasswordChecker([own], passwords, app_passwords),
        CertificateChecker(directory),
    ]
    if verifiers is not None:
        checkers.append(ScramChecker(verifiers))
    return Credentials(directory, checkers, verifiers)


def make_verifiers(config: Config, directory: IDirectory, threads: HashingThreads) -> Verifiers | None:
    """What makes and reads SCRAM verifiers, where the configuration wants any and the directory keeps them."""
    keeping = verifiers_of(directory)
    if not config.auth.scram or keeping is None:
        return None
    hashes = [ScramHash(name.upper()) for name in config.auth.scram]
    return Verifiers(directory, keeping, threads, hashes, config.auth.scram_iterations)
