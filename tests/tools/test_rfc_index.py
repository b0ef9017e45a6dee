"""The index of RFC marks."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "tools" / "rfc_index.py"


@pytest.fixture(scope="module")
def rfc_index():
    spec = importlib.util.spec_from_file_location("rfc_index", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("RFC 5321 §4.5.2", [(5321, (4, 5, 2))]),
        ("RFC 1939", [(1939, ())]),
        ("RFC 1939 §3, §7 (x)", [(1939, (3,)), (1939, (7,))]),
        ("RFC 2449 §3 and §8,", [(2449, (3,)), (2449, (8,))]),
        ("RFC 1939 §5 to §7, RFC 2449 §5", [(1939, (5,)), (1939, (6,)), (1939, (7,)), (2449, (5,))]),
        ("RFC 3501 §6.3.9 to §6.3.11", [(3501, (6, 3, 9)), (3501, (6, 3, 10)), (3501, (6, 3, 11))]),
        ("# as RFC 2034\n    # §3 says", [(2034, (3,))]),
        ("RFC822.SIZE, an RFC of 1982", []),
    ],
)
def test_marks_are_found_as_people_write_them(rfc_index, text, marks):
    assert list(rfc_index.marks_in(text)) == marks


def test_sections_are_in_the_order_of_their_numbers(rfc_index):
    marks = {1939: {(10,): ({"a.py"}, set()), (9, 1): ({"b.py"}, {"t.py"}), (): (set(), {"t.py"})}}
    rows = [line for line in rfc_index.page(marks).splitlines() if line.startswith(("| §", "| whole"))]
    assert rows == ["| whole |  | `t.py` |", "| §9.1 | `b.py` | `t.py` |", "| §10 | `a.py` |  |"]


def test_docs_rfc_is_current(rfc_index, capsys):
    assert rfc_index.main(["--check"]) == 0, capsys.readouterr().err


def test_a_page_that_is_not_current_is_told(rfc_index, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(rfc_index, "PAGE", tmp_path / "rfc.md")
    (tmp_path / "rfc.md").write_text("old")
    assert rfc_index.main(["--check"]) == 1
    assert "run python tools/rfc_index.py" in capsys.readouterr().err
    assert rfc_index.main([]) == 0
    assert rfc_index.main(["--check"]) == 0
