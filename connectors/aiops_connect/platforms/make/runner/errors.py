"""How a run can end other than well: an error for the user of the app, and two for who writes or tries it."""

from dataclasses import dataclass

from aiops_connect.platforms.make.runner.iml.errors import ImlError


class MakeError(Exception):
    """An error as the user of the app sees it: one of Make's error types, and a message.

    `status` is the HTTP status it comes from, if any.
    """

    def __init__(self, type_: str, message: str, status: int | None = None) -> None:
        super().__init__(f"{type_}: {message}")
        self.type = type_
        self.message = message
        self.status = status


class AppError(Exception):
    """A mistake in the app's own files: which file, where in it (a JSON pointer), and in which expression."""

    def __init__(self, message: str, file: str, pointer: str = "", excerpt: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.pointer = pointer
        self.excerpt = excerpt

    @classmethod
    def of_expression(cls, file: str, pointer: str, error: ImlError) -> "AppError":
        return cls(error.message, file, pointer, error.caret())

    def __str__(self) -> str:
        place = f"{self.file}: {self.pointer}" if self.pointer else self.file
        indented = "".join(f"  {line}\n" for line in self.excerpt.splitlines())
        return f"{place}\n{indented}  {self.message}"


@dataclass(frozen=True, slots=True)
class InputProblem:
    """A value that a component does not take; `name` is the path of the parameter."""

    name: str
    message: str


class InputError(Exception):
    """Values that Make would not let into the component, all at once."""

    def __init__(self, problems: list[InputProblem]) -> None:
        super().__init__("\n".join(f"{problem.name}: {problem.message}" for problem in problems))
        self.problems = problems
