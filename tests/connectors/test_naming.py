"""Names on the left, identifiers and labels on the right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_connect import naming

NAMES = [
    ("max_tokens", "max_tokens", "Max tokens"),
    ("maxTokens", "max_tokens", "Max tokens"),
    ("X-Request-Id", "x_request_id", "X request ID"),
    ("user.name", "user_name", "User name"),
    ("callbackURL", "callback_url", "Callback URL"),
    ("HTMLBody", "html_body", "HTML body"),
    ("userIDs", "user_ids", "User IDs"),
    ("page[size]", "page_size", "Page size"),
    ("2fa", "value_2_fa", "2 fa"),
    ("__proto__", "proto", "Proto"),
    ("größe", "gro_e", "Gro e"),
    ("名前", "value", "名前"),
    ("", "value", "Value"),
]


@pytest.mark.parametrize(("name", "identifier", "label"), NAMES)
def test_names(name: str, identifier: str, label: str) -> None:
    assert (naming.identifier(name), naming.label(name)) == (identifier, label)


@given(st.lists(st.text(max_size=8) | st.sampled_from(["a", "A", "a_2", "a-2"]), max_size=8))
def test_identifiers_are_safe_and_differ(names: list[str]) -> None:
    found = naming.identifiers(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(name.isascii() and name.isidentifier() and name == name.lower() for name in found)
    assert all(naming.label(name) for name in names)
