"""Parameters of n8n's, as plain data."""

from dataclasses import dataclass, field

from aiops_connect import ir
from aiops_connect.platforms.n8n import naming
from aiops_connect.platforms.n8n.literals import Value

Property = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A parameter, and the shape of its value."""

    property: Property
    shape: Property


@dataclass
class Searches:
    """The lists to search in that the parameters of a node name, by the names of their methods."""

    choices: dict[str, tuple[ir.Option, ...]] = field(default_factory=dict)
    sources: dict[str, ir.OptionsSource] = field(default_factory=dict)

    def of(self, name: str, what: tuple[ir.Option, ...] | ir.OptionsSource) -> str:
        """The method that searches; the same for the same list."""
        known: dict[str, tuple[ir.Option, ...]] | dict[str, ir.OptionsSource]
        known = self.choices if isinstance(what, tuple) else self.sources
        for method, one in known.items():
            if one == what:
                return method
        taken = {*self.choices, *self.sources}
        method = f"search{naming.pascal(name)}"
        number = 2
        while method in taken:
            method, number = f"search{naming.pascal(name)}{number}", number + 1
        known[method] = what  # type: ignore[assignment]
        return method
