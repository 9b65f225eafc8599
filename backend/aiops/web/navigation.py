"""The links at the top of every page."""

from dataclasses import dataclass

FOR_ACCOUNTS = {
    "/dashboard": "Dashboard",
    "/playground": "Playground",
    "/jobs": "Jobs",
    "/transactions": "Credits",
    "/billing": "Billing",
    "/api-keys": "API keys",
    "/webhooks": "Webhooks",
    "/settings": "Settings",
}
FOR_ADMINISTRATORS = {"/admin": "Administration"}
FOR_ALL = {"/docs": "API reference"}


@dataclass(frozen=True, slots=True)
class Link:
    path: str
    title: str
    is_current: bool


def navigation(path: str, *, is_signed_in: bool, is_administrator: bool) -> list[Link]:
    links = {
        **(FOR_ACCOUNTS if is_signed_in else {}),
        **FOR_ALL,
        **(FOR_ADMINISTRATORS if is_administrator else {}),
    }
    return [Link(target, title, _is_below(path, target)) for target, title in links.items()]


def is_page_of_accounts(path: str) -> bool:
    """Whether somebody may be sent there after signing in: never to another site, whatever a link says."""
    return path.isascii() and path.isprintable() and any(_is_below(path, target) for target in FOR_ACCOUNTS)


def _is_below(path: str, target: str) -> bool:
    return path == target or path.startswith(f"{target}/")
