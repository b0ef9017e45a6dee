from __future__ import annotations

import pytest

from twisted_mail_node.moving.formats.mbox_names import file_name_of, folder_name_of, name_of


@pytest.mark.parametrize(
    "level", ["Sent", "Entwürfe", "..", ".x", "a & b", "&AC4-x", "Old.mbox", "x.SBD", ".mbox", "mbox"]
)
def test_a_name_comes_back(level):
    assert name_of(file_name_of(level)) == name_of(folder_name_of(level)) == level
    assert not file_name_of(level).startswith(".")
    assert not folder_name_of(level).startswith(".")
