"""What a new version of a connector changes for the people who use the old one."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """What a change asks of the next version (semver.org), the least first."""

    PATCH = "patch"  # texts
    MINOR = "minor"  # more can be done than before
    MAJOR = "major"  # what works today may stop to


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `subject` names what it is of, such as `operation generate_image, input prompt`; `message` is a
    sentence about what it means."""

    severity: Severity
    subject: str
    message: str

    @property
    def is_breaking(self) -> bool:
        return self.severity is Severity.MAJOR

    def __str__(self) -> str:
        return f"{self.subject}: {self.message}"


def bump(changes: "tuple[Change, ...] | list[Change]") -> Severity | None:
    """The part of the version to raise; None where nothing changed."""
    order = list(Severity)
    return max((change.severity for change in changes), key=order.index, default=None)
