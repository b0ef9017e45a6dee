"""
`twistd mailnode`: options, and the service that twistd runs.

Decides how a start that fails ends: with one sentence on standard error, also when twistd has gone into the
background, and an exit status that is not 0. And what SIGHUP does: the certificate is read again. Neighbours: `node`
does the rest.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from types import TracebackType
from typing import Any

from twisted.application.service import IService, MultiService
from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import Options as TwistedOptions

from .node.assemble import assemble
from .node.config import ConfigError, Overrides, load_config
from .node.errors import CannotStart
from .node.open_files import make_room_for_files
from .node.service import MailNode


class Options(TwistedOptions):
    """The options behind `twistd mailnode`."""

    synopsis = "[options]"
    longdesc = (
        "Run a mail node. Without --config, ./mailnode.toml is read if it exists; else the node serves on loopback "
        "with defaults, and keeps its state in ./mailnode-state."
    )
    optParameters = [  # noqa: RUF012  as twisted.python.usage wants it
        ["config", "c", None, "Configuration file (TOML)."],
        ["state-dir", "s", None, "State folder, in place of the configured one."],
        ["hostname", None, None, "The node's name, in place of the configured one."],
    ]

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self["listen"] = []

    def opt_listen(self, value: str) -> None:
        """
        SERVICE=ENDPOINT, in place of all configured listeners; may be repeated. SERVICE is smtp, submission, lmtp,
        pop3, imap, or with implicit TLS submissions, pop3s, imaps.
        """
        self["listen"].append(value)


def makeService(options: Options) -> IService:
    """
    The node as a service of the reactor that twistd runs.

    Raises: SystemExit: the configuration can't be used; tells all its mistakes, or what of it can't be used.
    """
    from twisted.internet import reactor

    overrides = Overrides(
        state_dir=options["state-dir"] or "", hostname=options["hostname"] or "", listen=tuple(options["listen"])
    )
    try:
        config = load_config(options["config"], overrides)
    except ConfigError as error:
        raise SystemExit(str(error)) from error
    try:
        node = assemble(config, reactor=reactor)
    except CannotStart as error:
        raise SystemExit(f"twistd mailnode: {error}") from error
    return _Told(node, reactor)


class _Told(MultiService):
    """Holds the node, and tells whoever started twistd why it can't start."""

    _log = Logger()

    def __init__(self, node: MailNode, reactor: Any) -> None:  # Any: see node.storage.Reactor.
        super().__init__()  # type: ignore[no-untyped-call]
        self._node = node
        self._reactor = reactor
        # twistd points standard error elsewhere when it goes into the background, before ports are bound.
        self._standard_error: int | None = os.dup(2)
        node.setServiceParent(self)  # type: ignore[no-untyped-call]

    def privilegedStartService(self) -> None:
        """See IService. Raises: CannotStart."""
        make_room_for_files(self._node.config)
        try:
            super().privilegedStartService()  # type: ignore[no-untyped-call]
        except CannotStart as error:
            self._tell(error)
            raise

    def startService(self) -> None:
        """See IService. Raises: CannotStart."""
        try:
            super().startService()  # type: ignore[no-untyped-call]
        except CannotStart as error:
            self._tell(error)
            raise
        self._let_go()
        # Else a hang-up would end the process without a stop.
        signal.signal(signal.SIGHUP, lambda *_: self._reactor.callFromThread(self._reload))
        self._node.when_serving().addCallbacks(_set_start_aside, self._give_up)

    def _reload(self) -> None:
        try:
            self._node.reload_certificate()
        except CannotStart as error:
            self._log.error("{reason}; the old one stays", reason=str(error))

    def _tell(self, error: CannotStart) -> None:
        if self._standard_error is not None:
            os.write(self._standard_error, f"twistd mailnode: {error}\n".encode(errors="replace"))
        self._let_go()
        sys.excepthook = _quiet_about_what_was_told

    def _let_go(self) -> None:
        descriptor, self._standard_error = self._standard_error, None
        if descriptor is not None:
            os.close(descriptor)

    def _give_up(self, failure: Failure) -> None:
        """The reactor runs already: end it, with an exit status that twistd can't be told."""
        if failure.check(CancelledError):
            return
        print(f"twistd mailnode: {failure.getErrorMessage()}", file=sys.stderr)
        atexit.register(_exit_with_failure)
        self._reactor.stop()


def _set_start_aside(_: None) -> None:
    """
    Spare the garbage collector what stays for good.

    Looking through all that a start has imported and made takes some 40 ms, at every full collection, and nobody is
    served meanwhile. It concerns the whole process, so it is not for the node itself, which others may embed.
    """
    gc.collect()
    gc.freeze()


def _quiet_about_what_was_told(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    if not isinstance(error, CannotStart):
        sys.__excepthook__(kind, error, where)


def _exit_with_failure() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
