"""Text of a document as n8n's interface and its linter want it."""

import pytest

from aiops_connect.platforms.n8n import prose

HELP = [
    ("What it shows.", "Picture", "What it shows"),
    ("What it shows. In your words", "Picture", "What it shows. In your words."),
    ("See [the guide](https://things.example) for `all`", "", "See the guide for all"),
    ("Fewer than 3 & <b>bold</b>", "", "Fewer than 3 &amp; bold"),
    ("={{ $env.PATH }}", "", "＝{{ $env.PATH }}"),
    ("The picture.", "Picture", ""),
    ("Operation to perform", "", ""),
    ("The check operation to perform. One of eq, ne.", "", "The check operation that is performed. One of eq, ne."),
    ("Method of authentication of the caller", "", "Means of authentication of the caller"),
    ("The user id", "", "The user ID"),
    ("Draws it.\n\n**Tip.** Say what is *in* it.", "", "Draws it. Tip: Say what is in it."),
    ("Your key. **Keep it secret.** Store it well.", "Key", "Your key. Keep it secret. Store it well."),
]


@pytest.mark.parametrize(("text", "label", "written"), HELP)
def test_help_reads_as_the_linter_wants_it(text: str, label: str, written: str) -> None:
    assert prose.help_text(text, label) == written


def test_no_heading_stays_without_what_it_heads() -> None:
    text = "Draws it.\n\n**Tip.** This is too long to be told here."
    assert prose.help_text(text, more="Costs 5 credits.", length_max=40) == "Draws it. Costs 5 credits."


def test_sentences_about_a_name_can_be_left_out() -> None:
    text = "All jobs, by their `cursor_id`. To read on, e.g. the\nnext ten, send `cursor`.\n\nNewest first."
    assert prose.without(text, "cursor") == "All jobs, by their `cursor_id`. Newest first."


def test_help_on_a_choice_of_two_begins_with_whether() -> None:
    assert prose.help_text("It is on.", "Live", is_boolean=True) == "Whether to set live. It is on."
