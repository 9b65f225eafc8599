"""How built-in functions are declared: a signature that says the name and how many arguments it takes."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from aiops_connect.platforms.make.runner.iml.values import Value

Implementation = Callable[..., Value]
"""Takes the context, then the values of the arguments; a lazy one takes callables that evaluate them."""


@dataclass(frozen=True, slots=True)
class Function:
    signature: str
    call: Implementation
    minimum: int
    maximum: int
    lazy: bool


FUNCTIONS: dict[str, Function] = {}


def function(signature: str, *, lazy: bool = False) -> Callable[[Implementation], Implementation]:
    """Declares a built-in function, such as `join(array, [separator])` or `merge(array, ...)`."""
    name, _, rest = signature.rstrip(")").partition("(")
    parameters = [parameter.strip() for parameter in rest.split(",") if parameter.strip()]
    named = [parameter for parameter in parameters if parameter != "..."]
    minimum = sum(not parameter.startswith("[") for parameter in named)
    maximum = sys.maxsize if "..." in parameters else len(named)

    def declare(implementation: Implementation) -> Implementation:
        FUNCTIONS[name] = Function(signature, implementation, minimum, maximum, lazy)
        return implementation

    return declare
