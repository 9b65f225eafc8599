"""What stands in the way of a connector, told so that somebody can mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that cannot be rendered as it stands. `pointer` is a JSON pointer into the document (RFC 6901, as a
    URI fragment), after the name of the file where it is not the document itself. `message` is a sentence that says
    what is wrong and what to do."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}"
