"""Places in a document: a value, the pointer that leads to it, and a way to ask for what it holds.

Documents of other people hold anything. Whoever asks for a text gets a text, and what was there instead is reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiops_connect.pointers import escape
from aiops_connect.problem import Problem

if TYPE_CHECKING:
    from aiops_connect.openapi.library import File


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One place. `pointer` is as in Problem, and the same for the same place, however it was reached."""

    value: Any
    pointer: str
    file: "File"

    def report(self, message: str, *, at: str | None = None) -> None:
        """Records a problem with this place, or with its member `at`."""
        pointer = self.pointer if at is None else f"{self.pointer}/{escape(at)}"
        self.file.library.problems.append(Problem(pointer, message))

    def child(self, name: str) -> "Node | None":
        """The member of that name; None where there is none."""
        if isinstance(self.value, dict) and name in self.value:
            return Node(self.value[name], f"{self.pointer}/{escape(name)}", self.file)
        return None

    def has(self, name: str) -> bool:
        return isinstance(self.value, dict) and name in self.value

    def get(self, name: str) -> Any:
        """What the member holds; None where there is no such member."""
        return self.value.get(name) if isinstance(self.value, dict) else None

    def text(self, name: str) -> str:
        """The member's text; empty where there is no such member."""
        value = self.get(name)
        if isinstance(value, str):
            return value
        if value is not None:
            self.report("It has to be a text.", at=name)
        return ""

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.get(name)
        if isinstance(value, bool):
            return value
        if value is not None:
            self.report("It has to be true or false.", at=name)
        return default

    def number(self, name: str) -> int | float | None:
        value = self.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if value is not None:
            self.report("It has to be a number.", at=name)
        return None

    def integer(self, name: str) -> int | None:
        number = self.number(name)
        return int(number) if number is not None and number == int(number) else None

    def members(self, name: str) -> dict[str, "Node"]:
        """What an object holds, by name; nothing where there is no such member."""
        child = self.child(name)
        if child is None or child.value is None:
            return {}
        if not isinstance(child.value, dict):
            child.report("It has to be an object.")
            return {}
        return {key: Node(value, f"{child.pointer}/{escape(key)}", self.file) for key, value in child.value.items()}

    def items(self, name: str) -> list["Node"]:
        """What a list holds; nothing where there is no such member."""
        child = self.child(name)
        if child is None or child.value is None:
            return []
        if not isinstance(child.value, list):
            child.report("It has to be a list.")
            return []
        return [Node(value, f"{child.pointer}/{index}", self.file) for index, value in enumerate(child.value)]

    def texts(self, name: str) -> list[str]:
        """The texts of a list; others in it are reported."""
        found = []
        for item in self.items(name):
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                item.report("It has to be a text.")
        return found

    def objects(self, name: str) -> list["Node"]:
        """The objects of a list; others in it are reported."""
        return list(_objects(self.items(name)))

    def follow(self) -> "Node | None":
        """The object here, or that the reference here leads to; None, and a problem, where there is none."""
        found = self.file.library.follow(self)
        if found is not None and not isinstance(found.value, dict):
            found.report("It has to be an object.")
            return None
        return found


def _objects(nodes: list[Node]) -> Iterator[Node]:
    for node in nodes:
        if isinstance(node.value, dict):
            yield node
        else:
            node.report("It has to be an object.")
