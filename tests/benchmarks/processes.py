"""The service in one process and in several that share a PostgreSQL, called for one account and for a thousand.

Each process serves and works. On a machine with fewer cores than processes, callers and PostgreSQL together want, what
more processes bring is bounded by that: the report says how many cores there are.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.databases import PLANS, Postgresql, prepare
from tests.benchmarks.servers import ServerTarget, call_request, service_variables, serving
from tests.benchmarks.suite import Case, Suite

PROCESSES = (1, 2, 4)
ACCOUNTS = 1000


@contextmanager
def processes(folder: Path, server: Postgresql) -> Iterator[Suite]:
    """Starts a server for each number of processes, each on a database of its own, and stops them at the end."""
    plans = folder / "plans.yaml"
    plans.write_text(PLANS)
    keys = asyncio.run(prepare(server.create("processes"), ACCOUNTS))
    requests = [call_request(key) for key in keys]
    one = f"1 process, {ACCOUNTS:,} accounts"
    cases, servers, databases = [], {}, {}
    with ExitStack() as stack:
        for number in PROCESSES:
            name = f"{number} process{'es' if number > 1 else ''}, {ACCOUNTS:,} accounts"
            url = server.create(f"processes_{number}", "processes")  # so that they do not tell one another
            databases[name] = url
            variables = {**service_variables(url), "AIOPS_PLANS_FILE": str(plans)}
            running = stack.enter_context(serving("service", folder / f"processes_{number}", variables, number))
            servers[name] = running
            cases.append(Case(ServerTarget(name, running, requests), {"one": one}))
            alone = f"{number} process{'es' if number > 1 else ''}, one account"
            cases.append(Case(ServerTarget(alone, running, requests[:1]), {"one": one}, connections_min=2))
        yield Suite(f"calls on {os.cpu_count()} cores", cases, databases, [], servers)
