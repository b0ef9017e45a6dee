"""Where the walls between rooms cannot be drawn by module names alone: read from the source of every file."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "twisted_mail_node"
FILES = sorted(PACKAGE.rglob("*.py"))
PURE = [path for path in FILES if path.relative_to(PACKAGE).parts[0] in ("wire", "mail")]


def imported(path):
    """The absolute names that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def name(path):
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", PURE, ids=name)
def test_engines_and_values_import_nothing_from_outside_but_idna(path):
    outside = {module.partition(".")[0] for module in imported(path)} - sys.stdlib_module_names
    assert outside <= {"idna"}


@pytest.mark.parametrize("path", PURE, ids=name)
def test_engines_and_values_never_ask_for_the_time(path):
    asked = [
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today")
    ]
    assert asked == []


def test_only_the_plugin_and_the_fixture_take_the_global_reactor():
    takers = [name(path) for path in FILES if "twisted.internet.reactor" in imported(path)]
    assert takers == ["tap.py", "testing/plugin.py"]


@pytest.mark.parametrize("path", sorted((PACKAGE / "interfaces").rglob("*.py")), ids=name)
def test_doors_know_of_twisted_only_the_deferred_and_what_credentials_are(path):
    outside = {module for module in imported(path) if module.partition(".")[0] not in sys.stdlib_module_names}
    assert outside <= {
        "twisted.cred.credentials.ICredentials",
        "twisted.internet.defer.Deferred",
        "twisted.python.failure.Failure",
        "zope.interface.Attribute",
        "zope.interface.Interface",
    }
