"""What the papers claim of files, names, commands and settings, held to what is there."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

from twisted_mail_node.cli import main
from twisted_mail_node.node.config import parse_config

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twisted_mail_node"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *DECISIONS])

_QUOTED_PATH = re.compile(r"`([a-z_./]+/[a-z_.]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_IMPORT = re.compile(r"^from (twisted_mail_node[\w.]*) import (?:\(([^)]*)\)|(.*))$", re.MULTILINE)
_COMMAND = re.compile(r"^(?: {4}|\| `)mailnode ([^`#\n|[]*)|`mailnode ([^`[]+)`", re.MULTILINE)
_SETTING = re.compile(r"`(?:\[([a-z]+)\] )?(?:([a-z0-9]+)\.)?([a-z_]+)(?: = [^`]*)?`")


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("paper", PAPERS, ids=name)
def test_every_file_that_a_paper_names_is_there(paper):
    named = {path for path in _QUOTED_PATH.findall(paper.read_text()) if path.endswith((".py", "/"))}
    tests = ROOT / "tests" if paper.name == "rfc.md" else ROOT
    missing = {path for path in named if not any((root / path).exists() for root in (PACKAGE, ROOT, tests))}
    assert missing == set()


@pytest.mark.parametrize("paper", PAPERS, ids=name)
def test_every_link_of_a_paper_leads_somewhere(paper):
    assert [link for link in _LINK.findall(paper.read_text()) if not (paper.parent / link).exists()] == []


@pytest.mark.parametrize("paper", PAPERS, ids=name)
def test_what_a_paper_imports_is_there(paper):
    for module, one, several in _IMPORT.findall(paper.read_text()):
        for imported in re.findall(r"\w+", re.sub("#.*", "", one or several)):
            assert hasattr(import_module(module), imported), f"{module}.{imported}"


@pytest.mark.parametrize("paper", PAPERS, ids=name)
def test_every_command_of_a_paper_is_one(paper):
    for in_block, in_line in _COMMAND.findall(paper.read_text()):
        command, words = main, iter(shlex.split(in_block or in_line))
        known = {"--help", "--config", "--state-dir"}
        for word in words:
            if word.startswith("--"):
                assert word in known, in_block or in_line
                if command is main and word != "--help":
                    next(words)
            elif isinstance(command, click.Group):
                assert word in command.commands, in_block or in_line
                command = command.commands[word]
                known.update(option for parameter in command.params for option in parameter.opts)


@pytest.mark.parametrize("paper", PAPERS, ids=name)
def test_every_setting_that_a_paper_names_with_its_table_is_one(paper):
    config = parse_config({})
    for in_brackets, before_dot, key in _SETTING.findall(paper.read_text()):
        table = getattr(config, in_brackets or before_dot or "-", None)
        if table is not None and key != "py":
            assert key in type(table).model_fields, f"{in_brackets or before_dot}: {key}"


def test_decisions_are_numbered_in_one_sequence():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("paper", DECISIONS, ids=name)
def test_a_decision_has_its_parts_and_fits_on_a_page(paper):
    lines = paper.read_text().splitlines()
    assert re.fullmatch(rf"# {paper.name[:4]}\. \S.*", lines[0])
    assert len(lines) <= 60
    if "0006" not in paper.name:
        openings = [line.partition(".**")[0] for line in lines if line.startswith("**")]
        assert openings == ["**Context", "**Decision", "**Consequences"]


def test_the_index_lists_every_decision_by_its_title():
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    rows = re.findall(r"^\| \[(\d{4})\]\(([^)]+)\) \| (.*) \|$", index, re.MULTILINE)
    assert rows == [
        (path.name[:4], path.name, path.read_text().splitlines()[0].partition(". ")[2]) for path in DECISIONS
    ]
