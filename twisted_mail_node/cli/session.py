"""What all commands need: the configuration, the way to the node or its store, and one manner of failing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from ..mail.errors import MailError
from ..node.config import Config, ConfigError, Overrides, load_config
from ..node.control.access import Access, open_access
from ..node.control.client import NodeUnreachable
from ..node.control.direct import StoreConnection
from ..node.control.operations import JSON, Refusal
from ..node.errors import CannotStart
from ..node.owner import acting_as_owner
from ..node.state import StateFolder

REFUSED = 1
BAD_CONFIGURATION = 2


class Failed(click.ClickException):
    """Ends the command: the text goes to standard error, `exit_code` to the shell."""

    def __init__(self, message: str, exit_code: int = REFUSED) -> None:
        super().__init__(message)
        setattr(self, "exit_code", exit_code)  # noqa: B010  declared by click as the class's


class Session:
    """One run of the command line."""

    def __init__(self, config_file: str | None, state_dir: str) -> None:
        self._config_file = config_file
        self._state_dir = state_dir

    def config(self) -> Config:
        """The configuration. Raises: Failed, with all its mistakes."""
        return self.other_config(self._config_file, Overrides(state_dir=self._state_dir))

    def other_config(self, file: str | None, overrides: Overrides | None = None) -> Config:
        """Another configuration. Raises: Failed, with all its mistakes."""
        try:
            return load_config(file, overrides or Overrides())
        except ConfigError as error:
            raise Failed(str(error), BAD_CONFIGURATION) from error

    @contextmanager
    def access(self) -> Iterator[Access]:
        """The node or its store. Raises Failed for all that goes wrong inside."""
        config = self.config()
        access = None
        is_new = not config.state_dir.exists()
        try:
            access = open_access(config)
            yield access
            if is_new:
                click.echo(f"a new state folder was made: {config.state_dir}", err=True)
        except (CannotStart, NodeUnreachable, Refusal) as error:
            raise Failed(str(error)) from error
        finally:
            if access is not None:
                access.close()

    @contextmanager
    def store_at_rest(self) -> Iterator[tuple[Config, Path]]:
        """The configuration and the store's file, while no node runs. Raises Failed for all that goes wrong inside."""
        with self.access() as access:
            if not isinstance(access, StoreConnection):
                raise Failed(f"a node runs on {self.config().state_dir}; stop it first")
            with failing():
                yield self.config(), access.database

    @contextmanager
    def store_in_use(self) -> Iterator[tuple[Config, Path]]:
        """The same whether or not a node runs, for looking only."""
        config = self.config()
        with acting_as_owner(config.state_dir), failing():
            yield config, StateFolder(config.state_dir).database

    # Any: an operation's arguments are what JSON has.
    def perform(self, operation: str, **arguments: Any) -> JSON:
        """Perform one operation. Raises: Failed."""
        with self.access() as access:
            return access.perform(operation, arguments)


@contextmanager
def failing() -> Iterator[None]:
    """What the store's own files refuse ends the command as all else does."""
    try:
        yield
    except (MailError, CannotStart, Refusal) as error:
        raise Failed(str(error)) from error


pass_session = click.make_pass_decorator(Session)


json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
"""The option --json, which every command has."""
