"""What may be chosen by name is what there is."""

from typing import get_args

from twisted_mail_node.node.config.sections import AuthSettings, POP3Settings, SMTPSettings
from twisted_mail_node.node.config.sections.auth import MechanismName
from twisted_mail_node.protocols.pop3.languages import LANGUAGES
from twisted_mail_node.protocols.smtp.settings import EXTENSIONS
from twisted_mail_node.wire.sasl.mechanisms import DEFAULT, MECHANISMS


def choices(table, key):
    """What a setting that is a list of names may have in it."""
    return set(get_args(get_args(table.model_fields[key].annotation)[0]))


def test_each_mechanism_can_be_chosen_and_the_default_is_the_same():
    assert set(get_args(MechanismName)) == set(MECHANISMS)
    assert AuthSettings().mechanisms == DEFAULT


def test_each_extension_that_is_offered_can_be_withheld():
    assert choices(SMTPSettings, "withheld_extensions") == {extension.value for extension in EXTENSIONS}


def test_each_language_can_be_the_default():
    assert set(get_args(POP3Settings.model_fields["language"].annotation)) == {language.tag for language in LANGUAGES}
