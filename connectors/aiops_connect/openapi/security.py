"""Security schemes and requirements: what people connect with."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from aiops_connect import ir, naming
from aiops_connect.openapi import words
from aiops_connect.openapi.nodes import Node

_KEY_LOCATIONS = {location.value: location for location in ir.KeyLocation}
_GRANTS = {grant.value: grant for grant in ir.Grant}  # in the order of which is best
_URLS = {
    ir.Grant.AUTHORIZATION_CODE: ("authorizationUrl", "tokenUrl"),
    ir.Grant.CLIENT_CREDENTIALS: ("tokenUrl",),
    ir.Grant.PASSWORD: ("tokenUrl",),
    ir.Grant.IMPLICIT: ("authorizationUrl",),
}


def schemes(root: Node) -> dict[str, ir.SecurityScheme]:
    """The schemes of a document that can be rendered, by their names there."""
    components = root.child("components")
    nodes = components.members("securitySchemes") if components is not None else {}
    ids = naming.identifiers(nodes, otherwise="scheme")
    found = {}
    for (name, entry), id_ in zip(nodes.items(), ids, strict=True):
        node = entry.follow()
        scheme = _scheme(name, id_, node) if node is not None else None
        if scheme is not None:
            found[name] = scheme
    return found


def _scheme(name: str, id_: str, node: Node) -> ir.SecurityScheme | None:
    label, text = naming.label(name), node.text("description")
    match node.get("type"):
        case "apiKey":
            location = _KEY_LOCATIONS.get(node.text("in"))
            if location is None or not node.text("name"):
                node.report("An API key needs a name, and travels in header, query or cookie. Say which.")
                return None
            prefix = node.text(words.KEY_PREFIX)
            return ir.ApiKey(id_, label, location, node.text("name"), prefix, text)
        case "http":
            return _http(id_, label, text, node)
        case "oauth2":
            flows = _flows(node)
            return ir.OAuth2(id_, label, flows, text) if flows else None
        case "openIdConnect":
            return ir.OpenIdConnect(id_, label, node.text("openIdConnectUrl"), text)
        case "mutualTLS":
            return ir.MutualTls(id_, label, text)
        case _:
            node.report("A scheme is apiKey, http, oauth2, openIdConnect or mutualTLS. Name one of them.", at="type")
            return None


def _http(id_: str, label: str, text: str, node: Node) -> ir.SecurityScheme | None:
    scheme = node.text("scheme")
    match scheme.lower():
        case "basic":
            return ir.Basic(id_, label, text)
        case "bearer":
            return ir.Bearer(id_, label, node.text("bearerFormat"), text)
        case "":
            node.report("A scheme of HTTP needs its name, such as bearer. Add it.", at="scheme")
            return None
        case _:
            return ir.OtherHttp(id_, label, scheme, text)


def _flows(node: Node) -> tuple[ir.Flow, ...]:
    """The flows that can be rendered, the best first."""
    described = node.members("flows")
    flows = []
    for name, grant in _GRANTS.items():
        if name not in described:
            continue
        flow = described[name]
        missing = [url for url in _URLS[grant] if not flow.text(url)]
        if missing:
            flow.report(f"This flow needs {' and '.join(missing)}. Add it.")
            continue
        scopes = tuple(ir.Scope(scope, str(help_.value or "")) for scope, help_ in flow.members("scopes").items())
        urls = (flow.text("authorizationUrl") or None, flow.text("tokenUrl") or None, flow.text("refreshUrl") or None)
        flows.append(ir.Flow(grant, scopes, *urls))
    if not flows:
        node.report("OAuth 2.0 needs a flow that can be used. Add one.", at="flows")
    return tuple(flows)


def requirements(operation: Node, root: Node, known: Mapping[str, ir.SecurityScheme]) -> tuple[ir.Requirement, ...]:
    """The alternatives of an operation, or of the document where it has none of its own. One that names a scheme that
    cannot be used is left out, with a problem."""
    holder = operation if operation.has("security") else root
    found = []
    for node in holder.objects("security"):
        uses = _uses(node, known)
        if uses is not None:
            found.append(ir.Requirement(uses))
    return tuple(found)


def _uses(node: Node, known: Mapping[str, ir.SecurityScheme]) -> tuple[ir.SchemeUse, ...] | None:
    uses = []
    for name in node.value:
        if name not in known:
            node.report("No scheme of this name can be used. Describe it in components/securitySchemes.", at=name)
            return None
        uses.append(ir.SchemeUse(known[name].id, tuple(node.texts(name))))
    return tuple(uses)


def alternatives(operations: Sequence[ir.Operation]) -> tuple[tuple[str, ...], ...]:
    """The sets of schemes that open operations, by their ids: those that open the most first, and of two that open as
    many the one that the document has first."""
    asked = [
        tuple(use.scheme for use in one.uses) for operation in operations for one in operation.security if one.uses
    ]
    counted = Counter(asked)
    in_order = {alternative: position for position, alternative in enumerate(dict.fromkeys(asked))}
    return tuple(sorted(in_order, key=lambda one: (-counted[one], in_order[one])))


def connection(
    known: Iterable[ir.SecurityScheme],
    choices: tuple[tuple[str, ...], ...],
    check: ir.Operation | None,
    label: ir.Pointer | None,
) -> ir.Connection | None:
    """What people connect with; None where no operation asks for anything."""
    if not choices:
        return None
    used = {scheme for choice in choices for scheme in choice}
    kept = tuple(scheme for scheme in known if scheme.id in used)
    return ir.Connection(kept, choices, check.id if check is not None else None, label)
