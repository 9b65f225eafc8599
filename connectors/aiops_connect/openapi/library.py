"""The files of a document, and the references from one place in them to another.

`referencing`, the library for this, was tried: it looks for anchors in JSON Schema documents only, not in OpenAPI ones,
and does not tell where what it found stands, which every Problem must.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiops_connect.limits import FILES_MAX, REFERENCES_MAX
from aiops_connect.loading import LoadError, load
from aiops_connect.openapi.nodes import Node
from aiops_connect.pointers import escape, names_of
from aiops_connect.problem import Problem

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//")  # RFC 3986, section 3.1


class DeadReferenceError(Exception):
    """A reference leads nowhere. The message is a sentence that says why and what to do."""


@dataclass(slots=True, eq=False)
class File:
    """One file: `name` stands before the pointers into it, empty for the document itself. `path` None: not from a
    file."""

    name: str
    path: Path | None
    tree: Any
    library: "Library"
    anchors: dict[str, Node] | None = None

    @property
    def root(self) -> Node:
        return Node(self.tree, f"{self.name}#", self)

    def find(self, fragment: str) -> Node:
        """The place that the fragment of a URI names: a JSON pointer, or an anchor.

        Raises:
            DeadReferenceError: there is no such place.
        """
        if fragment and not fragment.startswith("/"):
            return self._anchor(fragment)
        node = self.root
        for name in names_of(fragment):
            below = _below(node, name)
            if below is None:
                raise DeadReferenceError(f"There is nothing at {self.name}#{fragment}. Add it, or mend the reference.")
            node = below
        return node

    def _anchor(self, name: str) -> Node:
        if self.anchors is None:
            self.anchors = _anchors(self.root)
        if name not in self.anchors:
            raise DeadReferenceError(
                f"No schema of {self.name or 'the document'} has the anchor {name}. Add it, or mend the reference."
            )
        return self.anchors[name]


@dataclass(slots=True, eq=False)
class Library:
    """A document, the files it refers to, and the problems met in reading them."""

    problems: list[Problem] = field(default_factory=list)
    files: dict[Path, File] = field(default_factory=dict)
    folder: Path | None = None

    def open(self, tree: Any, path: Path | None) -> File:
        """Takes in the document itself."""
        file = File("", path and path.resolve(), tree, self)
        if file.path is not None:
            self.files[file.path] = file
            self.folder = file.path.parent
        return file

    def follow(self, node: Node) -> Node | None:
        """Where the reference at a place leads, and the next from there, until there is none; the place itself where it
        is no reference. None, and a problem, where that ends nowhere."""
        start = node
        for _ in range(REFERENCES_MAX):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            target = self.target(node, reference)
            if target is None:
                return None
            node = target
        start.report(
            "The reference leads in a circle, and never to anything. Let it refer to what is meant.", at="$ref"
        )
        return None

    def target(self, node: Node, reference: str) -> Node | None:
        """Where one reference leads; None, and a problem, where that is nowhere."""
        try:
            return self.resolve(node.file, reference)
        except DeadReferenceError as error:
            node.report(str(error), at="$ref")
            return None

    def resolve(self, source: File, reference: str) -> Node:
        """Where a reference in a file leads.

        Raises:
            DeadReferenceError: that is nowhere.
        """
        address, _, fragment = reference.partition("#")
        file = self._file(source, address) if address else source
        return file.find(unquote(fragment))

    def _file(self, source: File, address: str) -> File:
        if _SCHEME.match(address):
            raise DeadReferenceError(
                "It refers to another host. Save that document beside this one, and refer to the file."
            )
        if source.path is None or self.folder is None:
            raise DeadReferenceError("It refers to a file, but the document is none. Save it as a file.")
        if "\0" in (name := unquote(address)):
            raise DeadReferenceError("It refers to no file that there can be. Mend the reference.")
        path = (source.path.parent / name).resolve()
        if not path.is_relative_to(self.folder):
            raise DeadReferenceError("It refers to a file outside the folder of the document. Move it inside.")
        if path not in self.files:
            if len(self.files) == FILES_MAX:
                raise DeadReferenceError(f"The document refers to more than {FILES_MAX} files. Bundle them.")
            try:
                tree = load(path)
            except LoadError as error:
                raise DeadReferenceError(f"It refers to {address}. {error}") from error
            self.files[path] = File(str(path.relative_to(self.folder)), path, tree, self)
        return self.files[path]


def _below(node: Node, step: str) -> Node | None:
    if isinstance(node.value, list):
        index = int(step) if step.isdecimal() and len(step) < 10 else len(node.value)
        return Node(node.value[index], f"{node.pointer}/{index}", node.file) if index < len(node.value) else None
    return node.child(step)


def _anchors(root: Node) -> dict[str, Node]:
    """Each place with an `$anchor`."""
    found: dict[str, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node.value, dict):
            anchor = node.value.get("$anchor")
            if isinstance(anchor, str):
                found.setdefault(anchor, node)
            steps = [(escape(str(name)), child) for name, child in node.value.items()]
        else:
            steps = [(str(index), child) for index, child in enumerate(node.value)]
        waiting += [
            Node(child, f"{node.pointer}/{step}", node.file) for step, child in steps if isinstance(child, dict | list)
        ]
    return found
