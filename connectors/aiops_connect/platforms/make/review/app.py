"""Rules for the app as a whole."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from aiops_connect.platforms.make.review.source import Part, Source, texts
from aiops_connect.platforms.make.runner.app import MANIFEST

Found = Iterator[tuple[str, str]]

_NOT_PRODUCTION = re.compile(
    r"(^|\.)(localhost|dev|staging|test)(\.|$)|herokuapp\.com$|amazonaws\.com$|ngrok|^\d+[.\d]*$"
)
_SECRET = re.compile(
    r"\b(sk_live_\w{8,}|sk-[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|ghp_\w{30,}|xox[bp]-\w{10,}|eyJ[\w-]{20,}\.[\w-]{10,})"
)
_INPUTS = ["url", "method", "headers", "qs", "body"]
_OUTPUTS = ["body", "headers", "statusCode"]
_UNIVERSAL_URL = re.compile(r"(https://[^/{}]+)?/\{\{parameters\.url\}\}")


def is_in_production(source: Source) -> Found:
    """R1."""
    url = str(source.general("base").get("baseUrl", ""))
    host = urlsplit(url).hostname or ""
    if not url.startswith("https://"):
        yield source.general_path("base"), "The baseUrl has to begin with https://."
    elif _NOT_PRODUCTION.search(host):
        yield source.general_path("base"), f"{host} is no host of a service in production."


def has_one_universal_module(source: Source) -> Found:
    """R2."""
    found = source.modules("universal")
    if len(found) != 1:
        yield MANIFEST, f"There is to be one universal module, and there are {len(found)}."
    for module in found:
        yield from _universal(module)


def _universal(module: Part) -> Found:
    said = (module.metadata.get("label"), module.metadata.get("description"))
    if said != ("Make an API call", "Performs an arbitrary authorized API call."):
        yield MANIFEST, "Name it `Make an API call`, described as `Performs an arbitrary authorized API call.`."
    url = str(module.requests[0].get("url", "")) if module.requests else ""
    if not _UNIVERSAL_URL.fullmatch(url):
        yield module.path("communication"), "The URL has to be a fixed host and `/{{parameters.url}}`."
    names = [one.get("name") for one in module.parameters]
    if names != _INPUTS:
        yield module.path("mappableParams"), f"It has to ask for {', '.join(_INPUTS)}."
    for one in module.parameters:
        if one.get("name") == "url" and not (one.get("required") and "For example" in str(one.get("help"))):
            yield module.path("mappableParams"), "The URL is required, and its help has an example."
    if [one.get("name") for one in module.code("interface") or []] != _OUTPUTS:
        yield module.path("interface"), f"It has to put out {', '.join(_OUTPUTS)}."


def holds_no_secrets(source: Source) -> Found:
    """R3."""
    for path, content in source.files.items():
        if any(_SECRET.search(text) for text in texts(content)):
            yield path, "It holds what looks like a secret."
    for kind in source.manifest["components"]:
        for part in source.parts(kind):
            if re.match(r"test([A-Z]|$)", part.id):
                yield MANIFEST, f"{part.id} looks like a component made for tests."


def groups_all_modules(source: Source) -> Found:
    """R4."""
    groups = source.general("groups") or []
    names = Counter(name for group in groups for name in group["modules"])
    path = source.general_path("groups")
    if not groups and len(source.modules()) <= 10:
        return
    for module in source.modules():
        if names[module.id] != 1:
            yield path, f"{module.id} has to be in one group, and is in {names[module.id]}."
    universal = [module.id for module in source.modules("universal")]
    if groups and (groups[-1]["label"], groups[-1]["modules"]) != ("Other", universal):
        yield path, "The last group is `Other`, with the universal module."
    triggers = {module.id for module in source.modules("trigger", "instant_trigger")}
    if triggers and not triggers & set(groups[0]["modules"] if groups else []):
        yield path, "The first group is that of the triggers."


def functions_are_tested(source: Source) -> Found:
    """R24."""
    for function in source.parts("function"):
        if not function.metadata.get("codeFiles", {}).get("test"):
            yield MANIFEST, f"The function {function.id} has no test."
