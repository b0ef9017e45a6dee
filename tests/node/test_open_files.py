"""The process' limit of open files follows the settings."""

import resource

import pytest

from twisted_mail_node.node.config import parse_config
from twisted_mail_node.node.open_files import OTHER_FILES, make_room_for_files

WANTED = 3000 + 500 + OTHER_FILES
INFINITY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        ((1024, 4096), (WANTED, 4096), False),
        ((1024, INFINITY), (WANTED, INFINITY), False),
        ((1024, 2048), (2048, 2048), True),
        ((65536, 65536), None, False),
        ((INFINITY, INFINITY), None, False),
    ],
)
def test_the_limit_is_raised_as_far_as_it_may_be(monkeypatch, tmp_path, before, after, warned):
    config = parse_config({"limits": {"connections": 3000}, "queue": {"connections": 500}}, base=tmp_path)
    limits, warnings = [], []
    monkeypatch.setattr(resource, "getrlimit", lambda which: before)
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append(limit))
    monkeypatch.setattr("twisted_mail_node.node.open_files._log.warn", lambda text, **fields: warnings.append(fields))
    make_room_for_files(config)
    assert limits == ([after] if after else [])
    assert bool(warnings) == warned
