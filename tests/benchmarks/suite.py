"""Targets that are measured side by side, and what each is held against."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.benchmarks.databases import findings
from tests.benchmarks.measured import Target
from tests.benchmarks.servers import Server


@dataclass(frozen=True, slots=True)
class Case:
    """A target and what it is held against: names of other targets, by the word that heads the column of ratios."""

    target: Target
    baselines: Mapping[str, str] = field(default_factory=dict)
    connections_min: int = 1
    connections_max: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Suite:
    """`unit` is what is counted. `databases` are those whose ledger must be in order at the end, `drift` says where a
    script has fallen behind the service, and `servers` are those whose memory counts, the first against the others.

    A run takes `share_of_time` of what is asked for: the quicker a target, the sooner it has answered often enough.
    """

    unit: str
    cases: list[Case]
    databases: Mapping[str, str]
    drift: list[str]
    servers: Mapping[str, Server] = field(default_factory=dict)
    share_of_time: float = 1

    def findings(self) -> list[str]:
        """What is off in the ledgers, once the last jobs are done."""
        return [f"{name}: {finding}" for name, url in self.databases.items() for finding in asyncio.run(findings(url))]
