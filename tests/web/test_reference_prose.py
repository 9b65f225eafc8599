"""CommonMark of the document becomes text on the page, and nothing else."""

import pytest

from aiops.web.reference.model import Note
from aiops.web.reference.prose import cell, inline, prose, split_notes
from aiops.web.reference.rendering import code_block, code_span, one_line, plain_text

HARMLESS = [
    ("plain", "<p>plain</p>\n"),
    ("`a < b` **bold** *soft*", "<p><code>a &lt; b</code> <strong>bold</strong> <em>soft</em></p>\n"),
    ("[docs](/docs#jobs)", '<p><a href="/docs#jobs">docs</a></p>\n'),
    ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
    ("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
    ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
    ("[x](JAVASCRIPT&colon;alert(1))", "<p>[x](JAVASCRIPT:alert(1))</p>\n"),
    ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>\n"),
    ("<javascript:alert(1)>", "<p>&lt;javascript:alert(1)&gt;</p>\n"),
    ("# Title\n\ntext", "<p># Title</p>\n<p>text</p>\n"),
    ('[x](/a "\\"><script>")', '<p><a href="/a" title="&quot;&gt;&lt;script&gt;">x</a></p>\n'),
]


@pytest.mark.parametrize(("text", "html"), HARMLESS, ids=[one[0] for one in HARMLESS])
def test_text_stays_text(text: str, html: str) -> None:
    assert prose(text) == html


def test_a_picture_of_another_host_is_not_shown() -> None:
    assert "<img" not in prose("![x](https://evil.example/x.png)") + inline("![x](https://evil.example/x.png)")


def test_a_cell_has_paragraphs_only_where_there_are_several() -> None:
    assert cell("One\nsentence.\n") == "One sentence."
    assert cell("One.\n\nTwo.") == "<p>One.</p>\n<p>Two.</p>\n"


def test_paragraphs_that_begin_with_bold_words_are_notes() -> None:
    text, notes = split_notes("First.\n\n**Tip.** Do it.\n\n**bold** inside a\nparagraph\n\nLast, **not** one.")
    assert text == "First.\n\nLast, **not** one."
    assert notes == (Note("Tip", "Do it."), Note("bold", "inside a\nparagraph"))


def test_code_in_markdown_ends_where_it_should() -> None:
    assert code_span("prompt") == "`prompt`"
    assert code_span("a `b` c") == "``a `b` c``"
    assert code_span("`a`") == "`` `a` ``"
    assert code_block("x", "sh") == "```sh\nx\n```"
    assert code_block("```\nx", "") == "````\n```\nx\n````"


def test_text_in_markdown_stays_in_its_cell() -> None:
    assert one_line("One\n| two") == "One \\| two"
    assert plain_text("a | [b](c) <d> `e` #f") == r"a \| \[b\](c) \<d\> \`e\` \#f"
