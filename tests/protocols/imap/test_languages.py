"""The languages in which people are spoken to: each has words for all that is said."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import twisted_mail_node
from twisted_mail_node.mail import errors
from twisted_mail_node.protocols.imap.languages import DEFAULT_TAG, LANGUAGES, language_of
from twisted_mail_node.protocols.imap.languages.language import Language
from twisted_mail_node.protocols.imap.settings import IMAPSettings
from twisted_mail_node.wire.sasl.outcomes import RefusalReason

ROOT = Path(twisted_mail_node.__file__).parent
# Where texts for people are written, and by what: the functions and exceptions whose first argument is one.
SOURCES = ("wire/imap", "protocols/imap", "mail/mailbox_name.py", "mail/special_use.py")
SAYING = {"ok", "no", "bad", "bye", "BadSyntax", "Impossible", "NoSuchMessageNumber"}
FAILING = {"LoginRefused", *(name for name in vars(errors) if name[0].isupper())}
# Methods of Tokens that say that their argument is missing, and where it stands among the arguments.
MEANINGS = {"match": 1, "atom": 0, "keyword": 0, "astring": 0, "string": 0, "nstring": 0}


def modules():
    for source in SOURCES:
        path = ROOT / source
        for module in [path] if path.suffix else sorted(path.rglob("*.py")):
            yield ast.parse(module.read_text(encoding="utf-8"))


def calls():
    for module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Call):
                called = node.func
                yield called.id if isinstance(called, ast.Name) else getattr(called, "attr", ""), node.args


def texts_in(node):
    """The texts that an argument can be, `{}` for each value in them."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from texts_in(one)
            yield from texts_in(other)


def said():
    """All texts that are said to people, and the names of what can be missing."""
    found = {reason.value for reason in RefusalReason}
    for name, arguments in calls():
        if name in SAYING | FAILING and arguments:
            found.update(texts_in(arguments[0]))
        elif name == "expect" and len(arguments) > 1:
            found.update(texts_in(arguments[1]))
        elif name in MEANINGS and len(arguments) > MEANINGS[name]:
            found.update(texts_in(arguments[MEANINGS[name]]))
    return {text for text in found if not text.isupper()}  # a word of the grammar is the same in all


@pytest.mark.parametrize("tag", ["de", "ja"])
def test_a_language_has_words_for_all_that_is_said(tag):
    language = LANGUAGES[tag]
    texts = [text.replace("{}", "a number") for text in sorted(said())]
    missing = [text for text in texts if language(text) == text]
    assert not missing, f"these texts want a line in protocols/imap/languages for {tag}: {missing}"


@pytest.mark.parametrize("tag", ["de", "ja"])
def test_a_language_has_no_words_for_what_nobody_says(tag):
    modules = [path for path in sorted(ROOT.rglob("*.py")) if "languages" not in path.parts]
    written = "".join(path.read_text(encoding="utf-8") for path in modules)
    # A text with values is written as pieces; what is missing may be said by its name alone.
    words = LANGUAGES[tag]._words
    unsaid = [text for text in words if not all(piece in written for piece in text.split("{}"))]
    unsaid = [text for text in unsaid if repr(text)[1:-1] not in written and text.replace("\\", "\\\\") not in written]
    assert not unsaid


def test_english_is_said_as_it_is_written():
    assert LANGUAGES["en"]("done") == "done"
    assert LANGUAGES[DEFAULT_TAG] is None


@pytest.mark.parametrize(
    ("wanted", "tag"),
    [
        ("de", "de"),
        ("DE-CH", "de"),
        ("i-default", "i-default"),
        ("en-GB-oed", "en"),
        ("fr", None),
        ("mul", None),
        ("", None),
    ],
)
def test_a_range_means_a_language(wanted, tag):
    assert language_of(wanted) == tag


def test_values_are_given_in_the_language_too():
    language = Language({"{} is missing": "{} fehlt", "a number": "eine Zahl"})
    assert language("a number is missing") == "eine Zahl fehlt"
    assert language("a xyz is missing") == "a xyz fehlt"
    assert language("what is this {}") == "what is this {}"


def test_what_is_remembered_has_an_end():
    language = Language({"{} is missing": "{} fehlt"})
    for number in range(2000):
        assert language(f"{number} is missing") == f"{number} fehlt"
    assert len(language._remembered) <= 1000


def test_a_language_that_there_is_not_cannot_be_set():
    with pytest.raises(ValueError, match="language"):
        IMAPSettings(language="fr")
