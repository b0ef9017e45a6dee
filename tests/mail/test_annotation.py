"""Names of annotations, and which of them are meant. RFC 5464 §3.2, §4.2.2"""

from __future__ import annotations

import pytest

from twisted_mail_node.mail.annotation import Depth, checked_name, checked_root, is_private, owner_of, selected

NAMES = [
    "/private/filters/values",
    "/private/filters/values/boss",
    "/private/filters/values/boss/x",
    "/private/filtersx",
]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("/shared/comment", "/shared/comment"),
        ("/Private/SpecialUse", "/private/specialuse"),
        ("/shared/vendor/example/Colour", "/shared/vendor/example/colour"),
        ("/private/filters/values/small", "/private/filters/values/small"),
        ("/private/vendored", "/private/vendored"),
    ],
)
def test_names_have_no_case(name, kept):
    assert checked_name(name) == checked_root(name) == kept


@pytest.mark.parametrize(
    "name",
    [
        "", "/", "comment", "/comment", "/other/comment", "shared/comment", "/sharedcomment", "//shared/comment",
        "/shared//comment", "/shared/comment/", "/shared/", "/shared/a*", "/private/a%", "/shared/ä", "/shared/a\0",
        "/shared/a\x19", "/shared/a\x7f", "/shared/vendor//x", "/shared/" + "a" * 250,
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(name):
    for check in (checked_name, checked_root):
        with pytest.raises(ValueError, match="it "):
            check(name)


@pytest.mark.parametrize("name", ["/shared", "/Private", "/shared/vendor", "/private/vendor/example"])
def test_what_has_no_value_may_have_some_below_it(name):
    with pytest.raises(ValueError, match="it "):
        checked_name(name)
    assert checked_root(name) == name.lower()


@pytest.mark.parametrize(
    ("depth", "found"), [(Depth.NONE, NAMES[:1]), (Depth.ONE, NAMES[:2]), (Depth.INFINITE, NAMES[:3])]
)
def test_depth_tells_how_far_below(depth, found):
    assert selected(NAMES, ["/private/filters/values"], depth) == found


def test_what_is_wanted_twice_is_told_once():
    assert selected(NAMES, ["/private/filters", "/private/filters/values"], Depth.ONE) == NAMES[:2]
    assert selected(NAMES, ["/private/filters"], Depth.NONE) == []


def test_private_ones_are_each_users_own():
    assert is_private("/private/comment")
    assert not is_private("/shared/comment")
    assert owner_of("/private/comment", "joe@example.test") == "joe@example.test"
    assert owner_of("/shared/comment", "joe@example.test") == ""
