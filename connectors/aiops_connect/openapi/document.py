"""A document into an app, or every problem at once."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiops_connect import ir, naming
from aiops_connect.limits import PROBLEMS_MAX
from aiops_connect.loading import LoadError, load
from aiops_connect.openapi import security, servers, words
from aiops_connect.openapi.annotations import Mentions, check_mentions
from aiops_connect.openapi.checks import account_label, check
from aiops_connect.openapi.facts import Gatherer
from aiops_connect.openapi.jobs import link_jobs
from aiops_connect.openapi.library import File, Library
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.operations import Described, Reader, described, named
from aiops_connect.openapi.recursion import recursive_references
from aiops_connect.openapi.schemas import Schemas
from aiops_connect.openapi.swagger import converted
from aiops_connect.openapi.triggers import Linker, triggers
from aiops_connect.problem import Problem

Progress = Callable[[int, int], None]  # operations that are read, of how many


@dataclass(frozen=True, slots=True)
class Parsed:
    """What came of a document. `app` has all that could be rendered; None where nothing could. `operations` is how many
    the document has, and `excluded` how many of them it leaves out itself."""

    app: ir.App | None
    problems: tuple[Problem, ...] = ()
    operations: int = 0
    excluded: int = 0


def parse_file(path: Path, *, progress: Progress | None = None) -> Parsed:
    """Reads a document, and the files beside it that it refers to."""
    try:
        tree = load(path)
    except LoadError as error:
        return Parsed(None, (Problem("#", str(error)),))
    return parse(tree, path, progress=progress)


def parse(tree: Any, path: Path | None = None, *, progress: Progress | None = None) -> Parsed:
    """Reads a document that is loaded. `path` is where it came from, None where it may refer to no other file."""
    library = Library()
    problem = _unreadable(tree)
    if problem is not None:
        return Parsed(None, (problem,))
    if "swagger" in tree:
        tree = converted(tree)
    parsed = _Parsing(library.open(tree, path), library, progress).run()
    problems = tuple(dict.fromkeys(library.problems))[:PROBLEMS_MAX]
    return Parsed(parsed.app, problems, parsed.operations, parsed.excluded)


def _unreadable(tree: Any) -> Problem | None:
    if not isinstance(tree, dict):
        return Problem("#", "This is no OpenAPI document. It has to be an object with the member openapi.")
    version = tree.get("openapi", tree.get("swagger"))
    if version is None:
        return Problem("#", "This is no OpenAPI document. It has to say its version in the member openapi.")
    if str(version).startswith(("3.0", "3.1")) or version in ("2.0", 2.0):
        return None
    at = "openapi" if "openapi" in tree else "swagger"
    return Problem(
        f"#/{at}", f"Version {version} cannot be read. Write the document in OpenAPI 3.1 or 3.0, or Swagger 2.0."
    )


class _Parsing:
    def __init__(self, document: File, library: Library, progress: Progress | None) -> None:
        self.root = document.root
        self.library = library
        self.progress = progress

    def run(self) -> Parsed:
        mentioned = words.read(self.root)
        everything = list(described(self.root))
        kept = named([one for one in everything if not one.is_excluded or one.node.get("operationId") in mentioned])
        by_id = {id_: one for one, id_ in kept}
        nodes = {id_: one.node for id_, one in by_id.items()}
        operation_ids = _by_operation_id(kept)
        mentions = Mentions(operation_ids)
        schemas = Schemas(Gatherer(recursive_references(self.library, self.root.file)), mentions)
        schemes = security.schemes(self.root)
        operations = link_jobs(self._operations(Reader(self.root, schemas, schemes), kept), nodes, operation_ids)
        offered = [operation for operation in operations if not by_id[operation.id].is_excluded]
        read = {operation.id: operation for operation in operations}
        check_mentions(mentions, read)
        linker = Linker(read, operation_ids)
        tested = check(operations, nodes)
        label = account_label(tested, schemas, nodes)
        info = self.root.child("info") or self.root
        app = ir.App(
            id=naming.identifier(info.text("title"), otherwise="api"),
            title=naming.title(info.text("title"), "API"),
            version=info.text("version"),
            help=info.text("description"),
            servers=servers.servers(self.root),
            connection=security.connection(schemes.values(), offered, tested.id if tested is not None else None, label),
            resources=_resources(self.root, offered, by_id),
            triggers=triggers(self.root, schemas, linker),
            internal=tuple(operation for operation in operations if by_id[operation.id].is_excluded),
        )
        return Parsed(app, operations=len(everything), excluded=sum(one.is_excluded for one in everything))

    def _operations(self, reader: Reader, kept: Sequence[tuple[Described, str]]) -> list[ir.Operation]:
        found = []
        for number, (one, id_) in enumerate(kept, 1):
            operation = reader.operation(one, id_)
            if operation is not None:
                found.append(operation)
            if self.progress is not None:
                self.progress(number, len(kept))
        return found


def _by_operation_id(kept: Sequence[tuple[Described, str]]) -> dict[str, str]:
    """What words can refer to: the ids of operations by their operationId, where that is of one alone."""
    given = Counter(one.node.text("operationId") for one, _ in kept)
    return {name: id_ for one, id_ in kept if given[name := one.node.text("operationId")] == 1 and name}


def _resources(root: Node, operations: Sequence[ir.Operation], nodes: dict[str, Described]) -> tuple[ir.Resource, ...]:
    """Operations by their first tag, tags in the order of the document; those without one by the first part of their
    path that is a name."""
    helps = {tag.text("name"): tag.text("description") for tag in root.objects("tags")}
    groups: dict[str, list[ir.Operation]] = {name: [] for name in helps}
    for operation in operations:
        tags = nodes[operation.id].node.texts("tags")
        groups.setdefault(tags[0] if tags else _of_path(operation.path), []).append(operation)
    groups = {name: members for name, members in groups.items() if members}
    ids = naming.identifiers(groups, otherwise="resource")
    return tuple(
        ir.Resource(id_, naming.title(name, name), tuple(members), helps.get(name, ""))
        for (name, members), id_ in zip(groups.items(), ids, strict=True)
    )


def _of_path(path: str) -> str:
    steps = [step for step in path.split("/") if step and not step.startswith("{")]
    return naming.label(steps[0]) if steps else "API"
