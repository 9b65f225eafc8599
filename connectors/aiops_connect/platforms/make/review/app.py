"""Rules for the app as a whole."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from aiops_connect.platforms.make.review.source import Part, Source, items, mapping, objects, texts
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
_MODULES_WITHOUT_GROUPS_MAX = 10


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
        yield from _universal_inputs(module)


def _universal(module: Part) -> Found:
    said = (module.metadata.get("label"), module.metadata.get("description"))
    if said != ("Make an API call", "Performs an arbitrary authorized API call."):
        yield MANIFEST, "Name it `Make an API call`, described as `Performs an arbitrary authorized API call.`."
    request = module.requests[0] if module.requests else {}
    if not _UNIVERSAL_URL.fullmatch(str(request.get("url", ""))):
        yield module.path("communication"), "The URL has to be a fixed host and `/{{parameters.url}}`."
    if (request.get("method"), request.get("type")) != ("{{parameters.method}}", "text"):
        yield module.path("communication"), "Its method is {{parameters.method}}, and its type is text."
    if [one.get("name") for one in module.items("interface")] != _OUTPUTS:
        yield module.path("interface"), f"It has to put out {', '.join(_OUTPUTS)}."


def _universal_inputs(module: Part) -> Found:
    path = module.path("mappableParams")
    known = {str(one.get("name")): one for one in module.parameters}
    if list(known) != _INPUTS:
        yield path, f"It has to ask for {', '.join(_INPUTS)}."
        return
    url, method = known["url"], known["method"]
    if not url.get("required") or not re.search(r"`https://[^/`]+`.*For example, `/", str(url.get("help")), re.DOTALL):
        yield path, "The URL is required, and its help names the host and has an example: For example, `/things`."
    if (method.get("type"), method.get("default")) != ("select", "GET"):
        yield path, "The method is a select, and GET by default."
    for name in ("headers", "qs"):
        if [str(one.get("name")) for one in objects(items(known[name].get("spec")))] != ["key", "value"]:
            yield path, f"Of {name} it asks for key and value."


def holds_no_secrets(source: Source) -> Found:
    """R3."""
    for path, content in source.files.items():
        if any(_SECRET.search(text) for text in texts(content)):
            yield path, "It holds what looks like a secret."
    for kind in mapping(source.manifest.get("components")):
        for part in source.parts(kind):
            if re.match(r"test([A-Z]|$)", part.id):
                yield MANIFEST, f"{part.id} looks like a component made for tests."


def groups_all_modules(source: Source) -> Found:
    """R4."""
    path, groups = source.general_path("groups"), source.groups
    modules = {module.id for module in source.modules()}
    if not groups:
        if len(modules) > _MODULES_WITHOUT_GROUPS_MAX:
            yield path, f"More than {_MODULES_WITHOUT_GROUPS_MAX} modules are put into groups."
        return
    listed = [[str(name) for name in items(group.get("modules"))] for group in groups]
    counted = Counter(name for names in listed for name in names)
    for name in sorted(modules | counted.keys()):
        if name not in modules:
            yield path, f"There is no module {name}."
        elif counted[name] != 1:
            yield path, f"{name} has to be in one group, and is in {counted[name]}."
    if (groups[-1].get("label"), listed[-1]) != ("Other", [module.id for module in source.modules("universal")]):
        yield path, "The last group is `Other`, with the universal module."
    triggers = {module.id for module in source.modules("trigger", "instant_trigger")}
    if triggers and set(listed[0]) != triggers:
        yield path, "The first group is that of the triggers."


def functions_are_tested(source: Source) -> Found:
    """R24."""
    for function in source.parts("function"):
        if function.path("test") == MANIFEST:
            yield MANIFEST, f"The function {function.id} has no test."
