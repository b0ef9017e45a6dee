"""
Other people's programs that tests stand on, by the marker of those tests.

They come from the system's packages; `.ci/run` names them. Where one is missing the test fails if MAILNODE_INTEROP is
set, as it is in CI; elsewhere these tests are left out, and the summary says so.
"""

from __future__ import annotations

import os
import shutil

from .postgres import programs as postgres_programs

# Dovecot's own place for what its master process starts; it is no command.
DOVECOT_IMAP = "/usr/lib/dovecot/imap"

_MAIL_PROGRAMS = ("swaks", "curl", "mbsync", "fetchmail", "msmtp", "mutt", "notmuch", "doveadm", DOVECOT_IMAP)


def missing() -> dict[str, list[str]]:
    """The markers whose tests are left out, and why; none where all have to run."""
    if os.environ.get("MAILNODE_INTEROP"):
        return {}
    lacking = {
        "interop": [program for program in _MAIL_PROGRAMS if shutil.which(program) is None],
        "postgres": postgres_programs.missing(),
    }
    return {marker: programs for marker, programs in lacking.items() if programs}
