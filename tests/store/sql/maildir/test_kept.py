"""Kept texts and signatures where messages are in Maildirs: the same stories."""

from tests.store.sql.test_kept import (  # noqa: F401
    fill,
    test_a_rare_word_is_found_by_looking_at_few_messages,
    test_large_messages_are_kept_by_their_text,
    test_structures_are_kept_as_a_session_would_make_them,
)
