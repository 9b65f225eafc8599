"""Regular expressions as JavaScript has them; each value is what Node.js gives."""

import pytest

from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from tests.connectors.platforms.make.runner.iml.conftest import Evaluate

REPLACED: list[tuple[str, str, str, str]] = [
    # Classes are ASCII, and so are the boundaries of words
    ("Café-1", r"/\W/g", "", "Caf1"),
    ("Café-1", r"/\w+$/", "x", "Café-x"),
    ("٣3", r"/\d/g", "x", "٣x"),
    ("٣3", r"/\D/g", "x", "x3"),
    ("été", r"/\bt\b/", "x", "éxé"),
    ("ab é", r"/\B/g", "|", "a|b |é|"),
    ("Café_1-é", r"/[\w-]+/g", "x", "xéxé"),
    ("Café-1", r"/[^\W\d]/g", "x", "xxxé-1"),
    ("a٣é", r"/[\D]/g", "x", "xxx"),
    ("a-b.c", r"/[\w-.]+/", "x", "x"),
    ("É", "/é/i", "x", "x"),
    ("\u212a", r"/\w/i", "x", "\u212a"),
    ("a\ufeff\u00a0b\x1cc", r"/\s+/g", "_", "a_b\x1cc"),
    # Ends of lines and of the text
    ("a\n", "/a$/", "b", "a\n"),
    ("a\n", "/a$/m", "b", "b\n"),
    ("a\u2028b", "/^b/m", "x", "a\u2028x"),
    ("a\nb", "/^b/", "x", "a\nb"),
    ("a\r\u2029b", "/./g", "x", "x\r\u2029x"),
    ("a\rb", "/./gs", "x", "xxx"),
    ("AZ", r"/\A|\Z/g", "x", "xx"),
    # UTF-16, or characters with `u`
    ("😀", "/./g", "x", "xx"),
    ("😀", "/./gu", "x", "x"),
    ("a😀b", "/😀/", "x", "axb"),
    ("é1", r"/\p{L}/gu", "x", "x1"),
    ("p{L}", r"/\p{L}/g", "x", "x"),
    # Sets, groups and braces
    ("a]b", "/[]]/", "x", "a]b"),
    ("a\nb", "/[^]/g", "x", "xxx"),
    ("[:a", "/[[:a:]/g", "x", "xxx"),
    ("a&b", "/[a&&b]/g", "x", "xxx"),
    ("a{,2}", "/a{,2}/", "x", "x"),
    ("(a){e}", "/a\\){e}/", "x", "(x"),
    ("b", r"/(a)?b\1/", "x", "x"),
    ("2026-03", r"/(?<y>\d+)-(?<m>\d+)/", "$<m>/$<y>$<no>", "03/2026"),
    ("abab", r"/(?<t>ab)\k<t>/", "x", "x"),
    ("a\bc\tA", r"/[\b]|\t|\x41|\u0062|\cI/g", "_", "a_c__"),
    # The replacement
    ("abc", "/b/", "[$`|$&|$'|$$]", "a[a|b|c|$]c"),
    ("ab", "/(a)/", "$10$2$0", "a0$2$0b"),
    ("ab", "/a/", "$<n>", "$<n>b"),
    # Where it goes on
    ("baa", "/a/gy", "x", "baa"),
    ("aab", "/a/gy", "x", "xxb"),
    (" a", r"/\s*?/g", "-", "- -a-"),
]


@pytest.mark.parametrize(("text", "search", "replacement", "replaced"), REPLACED)
def test_what_is_replaced(evaluate: Evaluate, text: str, search: str, replacement: str, replaced: str) -> None:
    given = {"given": text, "search": search, "replacement": replacement}
    assert evaluate("{{replace(given, search, replacement)}}", **given) == replaced


@pytest.mark.parametrize("pattern", ["(?i)a", "(?P<n>a)", "(?>a)", "a++", "a{2}+", "*a", "[a"])
def test_what_javascript_does_not_read_is_refused(evaluate: Evaluate, pattern: str) -> None:
    with pytest.raises(ImlEvaluationError, match=r"^`replace`: The regular expression .* is not valid: "):
        evaluate("{{replace('a', search, 'x')}}", search=f"/{pattern}/")
