"""Servers, with their variables."""

import re
from posixpath import normpath

from aiops_connect import ir
from aiops_connect.openapi.nodes import Node

_VARIABLE = re.compile(r"\{([^{}]*)\}")


def servers(*holders: Node) -> tuple[ir.Server, ...]:
    """The servers of the innermost holder that names any; where none does, the one that serves the document (OpenAPI
    3.1, section 4.8.1.1)."""
    for holder in reversed(holders):
        found = holder.objects("servers")
        if found:
            return tuple(_server(node) for node in found)
    return (ir.Server(""),)


def _server(node: Node) -> ir.Server:
    url = node.text("url")
    described = node.members("variables")
    variables = []
    for name in dict.fromkeys(_VARIABLE.findall(url)):
        if name in described:
            variables.append(_variable(name, described[name]))
        else:
            node.report(f"The address has {{{name}}}, and no variable says what it is. Add one.", at="url")
            variables.append(ir.ServerVariable(name, ""))
    return ir.Server(_anchored(url).rstrip("/"), node.text("description"), tuple(variables))


def _anchored(url: str) -> str:
    """A relative address from the top of the host that serves the document; one without a scheme by the usual one."""
    if "://" in url or url.startswith("{"):
        return url
    if url.startswith("//"):
        return f"https:{url}"
    return normpath(f"/{url.lstrip('/')}")


def _variable(name: str, node: Node) -> ir.ServerVariable:
    return ir.ServerVariable(name, node.text("default"), tuple(node.texts("enum")), node.text("description"))
