"""What an expression is evaluated with: variables, the clock and randomness."""

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random, SystemRandom
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiops_connect.platforms.make.runner.clock import Clock
from aiops_connect.platforms.make.runner.iml.errors import ImlEvaluationError
from aiops_connect.platforms.make.runner.iml.values import EMPTY_STRING, UNDEFINED, Value, to_milliseconds


@dataclass
class Context:
    """`variables` are those of the run, such as `parameters` and `body`; `timezone` is the scenario's."""

    variables: Mapping[str, Value]
    clock: Clock
    timezone: str = "UTC"
    random: Random = field(default_factory=SystemRandom)

    def variable(self, name: str) -> Value:
        """A variable of the run before a built-in one; undefined where there is none."""
        if name in self.variables:
            return self.variables[name]
        if name in KEYWORDS:
            return KEYWORDS[name]
        return self._computed(name)

    def _computed(self, name: str) -> Value:
        match name:
            case "now":
                return self.clock.now()
            case "timestamp":
                return to_milliseconds(self.clock.now()) // 1000
            case "uuid":
                return str(uuid.UUID(int=self.random.getrandbits(128), version=4))
            case "random":
                return self.random.random()
            case "emptyarray":
                return []
        return UNDEFINED

    def zone(self, name: Value = UNDEFINED) -> ZoneInfo:
        """The IANA zone of that name, else the scenario's.

        :raises ImlEvaluationError: for a name that is no zone
        """
        wanted = name if isinstance(name, str) and name else self.timezone
        try:
            return ZoneInfo(wanted)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ImlEvaluationError(f"Unknown time zone {wanted!r}. Use a name like Europe/Prague.") from None


KEYWORDS: dict[str, Value] = {
    "true": True,
    "false": False,
    "null": None,
    "erase": None,
    "ignore": UNDEFINED,
    "undefined": UNDEFINED,
    "emptystring": EMPTY_STRING,
    "space": " ",
    "nbsp": "\u00a0",
    "tab": "\t",
    "newline": "\n",
    "carriagereturn": "\r",
    "pi": math.pi,
}
