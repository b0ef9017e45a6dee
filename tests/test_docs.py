"""What the papers claim of files, held to what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twisted_mail_node"
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAPERS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *DECISIONS])

_QUOTED_PATH = re.compile(r"`([a-z_./]+/[a-z_.]*)`")
_LINK = re.compile(r"\]\(([^)#:]+)\)")


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
