"""The references by which a schema comes to contain itself.

They are found once, for the whole document, and by where they stand: so a schema means the same wherever it is used,
and can be read once for all its uses. Found by Tarjan's algorithm over what each reference leads to.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from aiops_connect.openapi.library import DeadReferenceError, File, Library
from aiops_connect.openapi.nodes import Node
from aiops_connect.pointers import escape


@dataclass(slots=True, eq=False)
class _Sites:
    """The references of a file, in its order, and for each place the stretch of them that stands within it."""

    references: list[Node] = field(default_factory=list)
    within: dict[str, tuple[int, int]] = field(default_factory=dict)


def recursive_references(library: Library, document: File) -> frozenset[str]:
    """The pointers of the objects whose `$ref` leads back to something they are part of."""
    graph = _Graph(library)
    graph.explore(document)
    found = set()
    for component in graph.components():
        found |= {site for target in component for site, leads_to in graph.edges[target] if leads_to in component}
    return frozenset(found)


class _Graph:
    """What references lead to, by pointer, and the references within each, with what those lead to."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.edges: dict[str, list[tuple[str, str]]] = {}
        self._files: dict[str, _Sites] = {}
        self._targets: dict[str, Node | None] = {}

    def explore(self, document: File) -> None:
        waiting = [target for site in self._sites(document).references if (target := self._target(site)) is not None]
        while waiting:
            target = waiting.pop()
            if target.pointer in self.edges:
                continue
            edges = self.edges[target.pointer] = []
            sites = self._sites(target.file)
            start, end = sites.within.get(target.pointer, (0, 0))
            for site in sites.references[start:end]:
                leads_to = self._target(site)
                if leads_to is not None:
                    edges.append((site.pointer, leads_to.pointer))
                    waiting.append(leads_to)

    def _target(self, site: Node) -> Node | None:
        """Where a reference leads; None where that is nowhere, which whoever follows it reports."""
        if site.pointer not in self._targets:
            try:
                self._targets[site.pointer] = self.library.resolve(site.file, site.value["$ref"])
            except DeadReferenceError:
                self._targets[site.pointer] = None
        return self._targets[site.pointer]

    def _sites(self, file: File) -> _Sites:
        if file.name not in self._files:
            self._files[file.name] = _sites(file)
        return self._files[file.name]

    def components(self) -> Iterator[set[str]]:
        """Targets that lead to one another, or to themselves."""
        for component in _strongly_connected({name: [to for _, to in edges] for name, edges in self.edges.items()}):
            only = next(iter(component))
            if len(component) > 1 or any(to == only for _, to in self.edges[only]):
                yield component


def _sites(file: File) -> _Sites:
    """One walk over a file, each object before what it holds."""
    sites = _Sites()
    waiting: list[Node | tuple[str, int]] = [file.root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tuple):
            sites.within[node[0]] = (node[1], len(sites.references))
            continue
        if isinstance(node.value, dict):
            waiting.append((node.pointer, len(sites.references)))
            if isinstance(node.value.get("$ref"), str):
                sites.references.append(node)
            children = [(escape(name), child) for name, child in node.value.items()]
        else:
            children = [(str(index), child) for index, child in enumerate(node.value)]
        waiting += [
            Node(child, f"{node.pointer}/{step}", file)
            for step, child in reversed(children)
            if isinstance(child, dict | list)
        ]
    return sites


def _strongly_connected(graph: dict[str, list[str]]) -> Iterator[set[str]]:
    """Tarjan's algorithm, with a stack of its own in place of recursion."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: dict[str, None] = {}  # in the order of entering
    for start in graph:
        calls = [] if start in order else [_enter(start, graph, order, lowest, path)]
        while calls:
            name, rest = calls[-1]
            successor = next(rest, None)
            if successor is None:
                calls.pop()
                if calls:
                    caller = calls[-1][0]
                    lowest[caller] = min(lowest[caller], lowest[name])
                if lowest[name] == order[name]:
                    yield _leave(name, path)
            elif successor not in order:
                calls.append(_enter(successor, graph, order, lowest, path))
            elif successor in path:
                lowest[name] = min(lowest[name], order[successor])


def _enter(
    name: str, graph: dict[str, list[str]], order: dict[str, int], lowest: dict[str, int], path: dict[str, None]
) -> tuple[str, Iterator[str]]:
    order[name] = lowest[name] = len(order)
    path[name] = None
    return name, iter(graph[name])


def _leave(name: str, path: dict[str, None]) -> set[str]:
    """Takes what was entered since `name` off the path, and that itself."""
    component = set()
    while name not in component:
        component.add(path.popitem()[0])
    return component
