"""The pages as people use them: in a real Chromium, against a real `aiops serve`."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright
from standardwebhooks import Webhook

from tests.end_to_end.test_serve import serving
from tests.fixtures.ports import free_port
from tests.fixtures.service import IMAGE, TRANSCRIPTION

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)

CHROMIUM = "/usr/bin/chromium"
OPTIONS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PASSWORD = "correct horse battery"
LINK_SECONDS = 30
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}
PUBLIC_PAGES = ("/", "/docs", "/sign-up", "/sign-in", "/forgot-password")
PRIVATE_PAGES = (
    *("/dashboard", "/jobs", "/transactions", "/api-keys", "/webhooks", "/webhooks/deliveries", "/settings"),
    *("/playground/generate_image", "/playground/generate_speech", "/playground/transcribe_audio"),
)


@dataclass
class Site:
    """A running server, and what its console has printed."""

    url: str
    log: Path

    def links(self, page: str) -> list[str]:
        """The links to a page that would have been e-mailed, the newest last."""
        return re.findall(rf"{self.url}/{page}\S+", self.log.read_text())

    def new_link(self, page: str, known: int) -> str:
        """The first that came after so many: they are sent once the page that asks for one has been answered."""
        deadline = time.monotonic() + LINK_SECONDS
        while len(found := self.links(page)) <= known:
            assert time.monotonic() < deadline, "no link was sent"
            time.sleep(0.05)
        return str(found[known])


@dataclass
class Watched:
    """A page, and what went wrong on it or left it for another host, but for one that it may lead to."""

    page: Page
    url: str
    other: str = "data:"
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url))

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(text)

    def _check(self, url: str) -> None:
        if not url.startswith((self.url, self.other, "data:", "blob:")):
            self.problems.append(f"asked {url}")


class Receiver(BaseHTTPRequestHandler):
    """Takes what it is told, but for what is sent to /deaf the first time."""

    told: ClassVar[list[tuple[str, dict[str, str], str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_refused = self.path == "/deaf" and all(path != "/deaf" for path, _, _ in self.told)
        self.told.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(500 if is_refused else 204)
        self.send_header("Retry-After", "3600")  # what is sent again is so by hand
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def receiver() -> Iterator[str]:
    """The address of somebody who is told."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, receiver: str) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("site"), free_port()
    with serving(folder / "data", port, AIOPS_PRIVATE_HOSTS=receiver):
        yield Site(f"http://127.0.0.1:{port}", folder / "log")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield running
        running.close()


@contextmanager
def visiting(
    browser: Browser, site: Site, *, refused: int | None = None, other: str = "data:", **options: Any
) -> Iterator[Page]:
    """A page of an empty browser on which nothing may go wrong, but that a form is `refused` with a status, and that
    leads to no `other` address but this."""
    chosen: dict[str, Any] = {"base_url": site.url, "viewport": DESK, **options}
    context = browser.new_context(**chosen)
    context.set_default_timeout(30_000)
    watched = Watched(context.new_page(), site.url, other)
    yield watched.page
    assert [one for one in watched.problems if refused is None or f"status of {refused}" not in one] == []
    context.close()


def sign_up(page: Page, email: str) -> None:
    page.goto("/sign-up")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile("/api-keys$"))


def reveal(page: Page) -> str:
    page.get_by_role("button", name="Reveal").click()
    return str(page.locator("#new-key").inner_text())


def account(site: Site, key: str) -> httpx.Response:
    return httpx.get(f"{site.url}/api/account", headers={"Authorization": f"Bearer {key}"})


@pytest.fixture(scope="module")
def customer(browser: Browser, site: Site, receiver: str) -> BrowserContext:
    """Somebody who is signed in and has a webhook, and jobs of every kind: an image, a recording, a text, a failure."""
    context = browser.new_context(base_url=site.url, viewport=DESK)
    page = context.new_page()
    sign_up(page, "customer@example.com")
    headers = {"Authorization": f"Bearer {reveal(page)}"}
    with httpx.Client(base_url=site.url, headers=headers, timeout=60) as client:
        client.post(IMAGE, json={"prompt": "A <b>lighthouse</b> on a cliff, " + "far away " * 30})
        speech = client.post("/api/services/tts", json={"text": "Your order is on its way."}).json()
        client.post(TRANSCRIPTION, json={"audio_url": speech["audio_url"]})
        client.post(TRANSCRIPTION, json={"audio_url": "https://media.example/nothing.mp3"})
    add_webhook(page, f"http://{receiver}/")
    page.get_by_role("link", name=f"http://{receiver}/").click()
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_text("delivered")).to_be_visible()
    page.close()
    return context


def test_from_sign_up_to_the_first_call(browser: Browser, site: Site) -> None:
    with visiting(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.goto("/")
        page.get_by_role("link", name="Get an API key").first.click()
        sign_up(page, "ada@example.com")
        key = reveal(page)
        page.get_by_role("button", name="Copy").click()
        assert page.evaluate("navigator.clipboard.readText()") == key
        page.goto("/api-keys")
        assert key not in page.content()
        page.goto("/dashboard")
        expect(page.get_by_text("Nothing used yet")).to_be_visible()
        called = httpx.post(
            site.url + IMAGE, json={"prompt": "a boat"}, headers={"Authorization": f"Bearer {key}"}, timeout=60
        )
        assert called.status_code == 200
        page.reload()
        row = page.get_by_role("row").filter(has_text="a boat")
        expect(row.get_by_text("succeeded")).to_be_visible()
        expect(row.get_by_role("img", name="The generated image")).to_be_visible()
        row.get_by_role("link").first.click()
        expect(page.get_by_role("img", name="The generated image")).to_be_visible()
        expect(page.get_by_text(called.json()["job_id"])).to_be_visible()


def test_keys_are_made_and_revoked(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as page:
        sign_up(page, "keys@example.com")
        page.get_by_label("What is it for?").fill("the shop's workflow")
        page.get_by_label("Expires").select_option("30")
        page.get_by_role("button", name="Make key").click()
        key = page.locator("#new-key").inner_text()
        assert account(site, key).status_code == 200
        page.on("dialog", lambda dialog: dialog.accept())
        row = page.get_by_role("row").filter(has_text="the shop's workflow")
        row.get_by_role("button", name="Revoke").click()
        expect(row.get_by_text("revoked")).to_be_visible()
        assert account(site, key).status_code == 401


def add_webhook(page: Page, url: str) -> str:
    """Adds a webhook; its secret."""
    page.goto("/webhooks")
    page.get_by_label("URL").fill(url)
    page.get_by_role("button", name="Add webhook").click()
    return str(page.locator("#new-secret").inner_text())


def test_a_webhook_is_added_tried_out_and_sent_again(browser: Browser, site: Site, receiver: str) -> None:
    with visiting(browser, site, permissions=["clipboard-read", "clipboard-write"]) as page:
        sign_up(page, "hooks@example.com")
        secret = add_webhook(page, f"http://{receiver}/deaf")
        page.get_by_role("button", name="Copy").click()
        assert page.evaluate("navigator.clipboard.readText()") == secret
        page.get_by_role("link", name=f"http://{receiver}/deaf").click()
        assert secret not in page.content()
        page.get_by_label("Try it with an event").select_option("job.failed")
        page.get_by_role("button", name="Send test event").click()
        row = page.get_by_role("row").filter(has_text="job.failed")
        expect(row.get_by_text("Its receiver answered 500.")).to_be_visible()
        row.get_by_role("button", name="Send again").click()
        expect(row.get_by_text("delivered")).to_be_visible()
        first, second = [(headers, body) for path, headers, body in Receiver.told if path == "/deaf"]
        assert first[0]["webhook-id"] == second[0]["webhook-id"]
        for headers, body in (first, second):
            Webhook(secret).verify(body, headers)
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="New secret").click()
        assert page.locator("#new-secret").inner_text() != secret
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("No webhooks yet")).to_be_visible()


def ask_for_a_link(page: Page, site: Site, email: str) -> str:
    """Asks on the page for it; the link that is sent."""
    known = len(site.links("reset-password"))
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("on its way")).to_be_visible()
    return site.new_link("reset-password", known)


def test_a_forgotten_password(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as page:
        sign_up(page, "forgetful@example.com")
        page.get_by_role("button", name="Sign out").click()
        page.goto("/sign-in")
        page.get_by_role("link", name="Forgot your password?").click()
        page.goto(ask_for_a_link(page, site, "forgetful@example.com"))
        page.get_by_label("New password").fill("another password")
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()


PLAYS = {
    "generate_image": {"Prompt": "A quiet harbour"},
    "generate_speech": {"Text": "Good morning."},
    "transcribe_audio": {},
}


@pytest.mark.parametrize("service", PLAYS)
def test_the_playground_calls_each_service(browser: Browser, site: Site, service: str) -> None:
    with visiting(browser, site) as page:
        sign_up(page, f"{service}@example.com")
        page.goto(f"/playground/{service}")
        for label, text in PLAYS[service].items():
            page.get_by_label(label).fill(text)
        if service == "transcribe_audio":
            key_page = page.context.new_page()
            key_page.goto("/api-keys")
            headers = {"Authorization": f"Bearer {reveal(key_page)}"}
            speech = httpx.post(f"{site.url}/api/services/tts", json={"text": "Hello."}, headers=headers, timeout=60)
            page.get_by_label("Audio URL").fill(speech.json()["audio_url"])
        page.locator("main form button").click()
        expect(page.get_by_text("succeeded")).to_be_visible(timeout=60_000)
        output = {"generate_image": "img", "generate_speech": "audio", "transcribe_audio": "blockquote"}[service]
        expect(page.locator(f".output {output}")).to_be_visible()


def test_the_code_follows_what_is_typed(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as page:
        sign_up(page, "typist@example.com")
        page.goto("/playground/generate_image")
        page.get_by_label("Prompt").fill("It's a 'test'")
        expect(page.locator("#code-curl")).to_contain_text("a '\"'\"'test")


def test_a_call_that_is_refused_says_why(browser: Browser, site: Site) -> None:
    with visiting(browser, site, refused=422) as page:
        sign_up(page, "refused@example.com")
        page.goto("/playground/transcribe_audio")
        page.get_by_label("Audio URL").fill("http://127.0.0.1/secret")
        with page.expect_response(re.compile("transcribe_audio$")) as answer:
            page.locator("main form button").click()
        assert answer.value.status == 422
        expect(page.locator("#audio_url-note")).to_contain_text("The host of the URL")


def check_layout(page: Page) -> None:
    width = page.evaluate("document.documentElement.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"


def check_accessibility(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    serious = [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def check_page(page: Page) -> None:
    check_layout(page)
    check_accessibility(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_is_sound(
    browser: Browser, site: Site, customer: BrowserContext, viewport: ViewportSize, scheme: str
) -> None:
    options: dict[str, Any] = {"viewport": viewport, "color_scheme": scheme}
    with visiting(browser, site, refused=404, **options) as page:
        for path in (*PUBLIC_PAGES, "/nothing", "/reset-password?token=x"):
            page.goto(path)
            check_page(page)
        page.goto("/forgot-password")
        link = ask_for_a_link(page, site, "customer@example.com")
        check_page(page)
        page.goto(link)
        check_page(page)
    with visiting(browser, site, storage_state=customer.storage_state(), **options) as page:
        for path in PRIVATE_PAGES:
            page.goto(path)
            check_page(page)
        page.goto("/api-keys")
        page.get_by_label("What is it for?").fill("to be looked at")
        page.get_by_role("button", name="Make key").click()
        expect(page.locator("#new-key")).to_be_visible()
        check_page(page)
        add_webhook(page, "https://hooks.example/aiops")
        check_page(page)
        page.get_by_role("link", name="https://hooks.example/aiops").first.click()
        expect(page.get_by_role("heading", name="Recent deliveries")).to_be_visible()
        check_page(page)
        page.goto("/jobs")
        for number in range(page.get_by_role("row").count() - 1):
            page.goto("/jobs")
            page.locator("tbody tr").nth(number).get_by_role("link").first.click()
            page.wait_for_url(re.compile("/jobs/job_"))
            check_page(page)


def test_the_pages_work_without_javascript(browser: Browser, site: Site) -> None:
    with visiting(browser, site, java_script_enabled=False) as page:
        page.goto("/docs")
        expect(page.get_by_role("heading", name="Quick start")).to_be_visible()
        sign_up(page, "noscript@example.com")
        key = reveal(page)
        assert account(site, key).status_code == 200
        page.goto("/playground/generate_image")
        page.get_by_label("Prompt").fill("A quiet harbour")
        page.locator("main form button").click()
        for _ in range(60):
            if page.get_by_text("succeeded").count():
                break
            page.wait_for_timeout(500)
            page.reload()
        expect(page.locator(".output img")).to_be_visible()


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: Site) -> None:
    with visiting(browser, site) as page:
        page.goto("/sign-in")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("E-mail")).to_be_focused()
