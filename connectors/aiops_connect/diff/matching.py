"""Things of two versions, side by side."""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar


class HasId(Protocol):
    @property
    def id(self) -> str: ...


Thing = TypeVar("Thing", bound=HasId)


def pairs(old: Iterable[Thing], new: Iterable[Thing]) -> Iterator[tuple[Thing | None, Thing | None]]:
    """Each thing of the old version beside that of the same id in the new one, None where there is none; then those
    that are new."""
    after = {thing.id: thing for thing in new}
    for thing in old:
        yield thing, after.pop(thing.id, None)
    yield from ((None, thing) for thing in after.values())
