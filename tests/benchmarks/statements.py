"""Whether a script still is what the service sends: its statements, counted in PostgreSQL's own log."""

import re
from collections import Counter
from pathlib import Path

from tests.benchmarks.databases import Postgresql

LOGGED = re.compile(r"LOG:  (?:execute [^:]*|statement): +([A-Z].*)")
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)")
NOT_SQL = re.compile(r"^(--|\\).*$", re.MULTILINE)
STATEMENT_END = re.compile(r";|\\gset.*$", re.MULTILINE)
OF_THE_DRIVER = ("DEALLOCATE", "SET", "SHOW")
ONE_A_CALL = "INSERT job"


def skeleton(statement: str) -> str:
    """Verb and first table: `SELECT account`, `COMMIT`."""
    table = TABLE.search(statement)
    return statement.split(maxsplit=1)[0] + (f" {table[1]}" if table else "")


def statements_of(script: Path) -> list[str]:
    """The SQL in a script of pgbench."""
    text = STATEMENT_END.sub(";", script.read_text())
    statements = (one.strip() for one in NOT_SQL.sub("", text).split(";"))
    return [one for one in statements if one]


def of_call(server: Postgresql, database: str) -> Counter[str]:
    """How often a call sends each statement, by the log of a database whose `log_statement` is `all`.

    Rounded down: whatever the background loops have asked meanwhile is far from one statement a call.
    """
    text = server.log.read_text(errors="replace").replace("\n\t", " ")
    logged = (LOGGED.search(line) for line in text.splitlines() if line.startswith(f"{database}|"))
    counts = Counter(skeleton(one[1]) for one in logged if one is not None and not one[1].startswith(OF_THE_DRIVER))
    calls = counts[ONE_A_CALL]
    return Counter({statement: count // calls for statement, count in counts.items() if count >= calls > 0})


def drift(script: Path, server: Postgresql, database: str) -> list[str]:
    """A sentence for each statement that is not as often in a script as in a call."""
    scripted, sent = Counter(skeleton(one) for one in statements_of(script)), of_call(server, database)
    return [
        f"{statement}: {sent[statement]} a call, {scripted[statement]} in {script.name}"
        for statement in sorted(scripted | sent)
        if scripted[statement] != sent[statement]
    ]
