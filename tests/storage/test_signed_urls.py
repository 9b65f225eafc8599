from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.storage.signed_urls import SignedUrls

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
EXPIRES_AT = NOW + timedelta(hours=24)
FILE_ID = "9tTkq0mB3nZyW4xVbC7dQe.png"
URLS = SignedUrls("https://aiops.example", b"secret")
LINK = URLS.sign(FILE_ID, EXPIRES_AT)


def parameters(link: str = LINK) -> tuple[str, str]:
    query = parse_qs(urlsplit(link).query)
    return query["expires"][0], query["signature"][0]


EXPIRES, SIGNATURE = parameters()


def test_a_link_names_the_file_its_expiry_and_a_signature() -> None:
    parts = urlsplit(LINK)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"https://aiops.example/files/{FILE_ID}"
    assert sorted(parse_qs(parts.query)) == ["expires", "signature"]
    assert int(EXPIRES) == EXPIRES_AT.timestamp()


@pytest.mark.parametrize(
    ("now", "is_valid"),
    [
        pytest.param(NOW, True, id="when made"),
        pytest.param(EXPIRES_AT - timedelta(microseconds=1), True, id="a moment before its end"),
        pytest.param(EXPIRES_AT, False, id="at its end"),
        pytest.param(EXPIRES_AT + timedelta(days=365), False, id="long after"),
    ],
)
def test_a_link_is_valid_until_it_expires(now: datetime, is_valid: bool) -> None:
    assert URLS.is_valid(FILE_ID, EXPIRES, SIGNATURE, now) is is_valid
    assert URLS.file_of(LINK, now) == (FILE_ID if is_valid else None)


OTHER_FIRST = "B" if SIGNATURE[0] == "A" else "A"


@pytest.mark.parametrize(
    ("file_id", "expires", "signature"),
    [
        pytest.param("0" + FILE_ID[1:], EXPIRES, SIGNATURE, id="another file"),
        pytest.param(FILE_ID.replace("png", "mp3"), EXPIRES, SIGNATURE, id="another type"),
        pytest.param(FILE_ID.lower(), EXPIRES, SIGNATURE, id="another case"),
        pytest.param(f"{FILE_ID}.{EXPIRES}", EXPIRES, SIGNATURE, id="expiry in the id"),
        pytest.param("", EXPIRES, SIGNATURE, id="no file"),
        pytest.param(FILE_ID, str(int(EXPIRES) + 1), SIGNATURE, id="a second longer"),
        pytest.param(FILE_ID, "0" + EXPIRES, SIGNATURE, id="leading zero"),
        pytest.param(FILE_ID, "+" + EXPIRES, SIGNATURE, id="sign"),
        pytest.param(FILE_ID, f" {EXPIRES}", SIGNATURE, id="space"),
        pytest.param(FILE_ID, "".join(chr(0x660 + int(digit)) for digit in EXPIRES), SIGNATURE, id="other digits"),
        pytest.param(FILE_ID, "never", SIGNATURE, id="no number"),
        pytest.param(FILE_ID, "9" * 5000, SIGNATURE, id="endless number"),
        pytest.param(FILE_ID, "", SIGNATURE, id="empty expiry"),
        pytest.param(FILE_ID, None, SIGNATURE, id="no expiry"),
        pytest.param(FILE_ID, EXPIRES, OTHER_FIRST + SIGNATURE[1:], id="another signature"),
        pytest.param(FILE_ID, EXPIRES, SIGNATURE[:-2], id="signature cut off"),
        pytest.param(FILE_ID, EXPIRES, SIGNATURE[::-1], id="signature reversed"),
        pytest.param(FILE_ID, EXPIRES, "é" * 43, id="signature not ASCII"),
        pytest.param(FILE_ID, EXPIRES, "", id="empty signature"),
        pytest.param(FILE_ID, EXPIRES, None, id="no signature"),
        pytest.param(*(FILE_ID, *parameters(SignedUrls("", b"Secret").sign(FILE_ID, EXPIRES_AT))), id="another key"),
        pytest.param(*(FILE_ID, *parameters(SignedUrls("", b"").sign(FILE_ID, EXPIRES_AT))), id="empty key"),
    ],
)
def test_a_link_that_was_tampered_with_is_refused(file_id: str, expires: str | None, signature: str | None) -> None:
    assert not URLS.is_valid(file_id, expires, signature, NOW)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda link: link, id="as it was made"),
        pytest.param(lambda link: link.replace("https", "http"), id="another scheme"),
        pytest.param(lambda link: link.replace("aiops.example", "127.0.0.1:8000"), id="another host"),
        pytest.param(lambda link: link.replace("/files/", "/behind/a/proxy/files/"), id="below a path"),
        pytest.param(lambda link: link + "#t=10", id="fragment"),
        pytest.param(lambda link: link + "&download=1", id="another parameter"),
        pytest.param(lambda link: "{0}?{2}&{1}".format(*link.replace("?", "&").split("&")), id="another order"),
    ],
)
def test_a_link_of_ours_is_known_by_its_signature_alone(change: Callable[[str], str]) -> None:
    assert URLS.file_of(change(LINK), NOW) == FILE_ID


@pytest.mark.parametrize("path", ["", "/", "/aiops", "/a/files/b"])
def test_links_below_the_path_of_the_public_url_are_ours(path: str) -> None:
    urls = SignedUrls(f"https://example.com{path}".rstrip("/"), b"secret")
    assert urls.file_of(urls.sign(FILE_ID, EXPIRES_AT), NOW) == FILE_ID


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda link: link.replace("/files/", "/file/"), id="another path"),
        pytest.param(lambda link: link.replace("/files/", "/files/x/"), id="a folder between"),
        pytest.param(lambda link: link.replace("/files/", "/files/../files/x/../"), id="dots"),
        pytest.param(lambda link: link.replace("?", "/?"), id="slash at the end"),
        pytest.param(lambda link: link.replace("expires=", "expires=1&expires="), id="two expiries"),
        pytest.param(lambda link: link.replace("?", "#"), id="parameters in the fragment"),
        pytest.param(lambda link: link + "&a=b" * 20, id="too many parameters"),
        pytest.param(lambda link: link.replace("https://", "https://["), id="broken host"),
        pytest.param(lambda _: "https://aiops.example/files/" + FILE_ID, id="no parameters"),
        pytest.param(lambda _: "", id="nothing"),
    ],
)
def test_what_is_no_link_of_ours_is_told(change: Callable[[str], str]) -> None:
    assert URLS.file_of(change(LINK), NOW) is None


@given(st.text(), st.text() | st.none(), st.text() | st.none())
def test_no_text_breaks_the_check(file_id: str, expires: str | None, signature: str | None) -> None:
    assert not URLS.is_valid(file_id, expires, signature, NOW)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_link(url: str) -> None:
    assert URLS.file_of(url, NOW) is None
    assert URLS.file_of("https://aiops.example/files/" + url, NOW) is None
