"""One call, written as people make it: on a command line, in Python and in JavaScript."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "YOUR_API_KEY"
AUTHORIZATION = f"Bearer {KEY}"


@dataclass(frozen=True, slots=True)
class Call:
    """A call with an API key. `result` is the field of the answer that it is made for, where there is one. `files` are
    sent in a form instead of a body: the names of files on the caller's disk."""

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    files: Mapping[str, str] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    result: str | None = None
    timeout_seconds: int = 60

    @property
    def all_headers(self) -> dict[str, str]:
        kind = {} if self.body is None else {"Content-Type": "application/json"}
        return {"Authorization": AUTHORIZATION, **kind, **dict(self.headers)}


def curl(call: Call) -> str:
    """A command for a POSIX shell."""
    implied = "GET" if call.body is None and call.files is None else "POST"
    method = "" if call.method == implied else f"-X {call.method} "
    lines = [f"curl {method}{shlex.quote(call.url)}"]
    lines += [f"-H {_shell_quoted(f'{name}: {value}')}" for name, value in call.all_headers.items()]
    if call.body is not None:
        lines.append(f"-d {shlex.quote(body_text(call.body))}".replace("\n", "\n  "))
    lines += [f"-F {shlex.quote(f'{name}=@{file}')}" for name, file in (call.files or {}).items()]
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    """A script that needs the package requests."""
    arguments = [json.dumps(call.url), f"headers={_python_literal(dict(_without_type(call)), 1)}"]
    if call.body is not None:
        arguments.append(f"json={_python_literal(call.body, 1)}")
    arguments.append(f"timeout={call.timeout_seconds}")
    lines = "".join(f"    {argument},\n" for argument in arguments)
    chosen = f"[{json.dumps(call.result)}]" if call.result else ""
    return (
        f"import requests\n\nanswer = requests.{call.method.lower()}(\n{lines})\n"
        f"answer.raise_for_status()\nprint(answer.json(){chosen})"
    )


def javascript(call: Call) -> str:
    """A module for Node and browsers."""
    options = [] if call.method == "GET" else [f"method: {json.dumps(call.method)}"]
    options.append(f"headers: {_javascript_literal(call.all_headers)}")
    if call.body is not None:
        options.append(f"body: JSON.stringify({_javascript_literal(call.body)})")
    lines = "".join(f"  {option},\n" for option in options)
    chosen = f"[{json.dumps(call.result)}]" if call.result and not call.result.isidentifier() else ""
    chosen = chosen or (f".{call.result}" if call.result else "")
    return (
        f"const answer = await fetch({json.dumps(call.url)}, {{\n{lines}}});\n"
        f"const body = await answer.json();\nif (!answer.ok) throw new Error(body.error);\n"
        f"console.log(body{chosen});"
    )


def body_text(body: Any) -> str:
    """JSON for people: on one line where it is short."""
    line = json.dumps(body, ensure_ascii=False)
    return line if len(line) <= 80 and "[" not in line else json.dumps(body, ensure_ascii=False, indent=2)


def _without_type(call: Call) -> list[tuple[str, str]]:
    """The headers, less the one that `requests` sets by itself."""
    return [(name, value) for name, value in call.all_headers.items() if name != "Content-Type"]


def _shell_quoted(text: str) -> str:
    return shlex.quote(text) if set(text) & set('"$`\\!') else f'"{text}"'


def _javascript_literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")


def _python_literal(value: Any, depth: int) -> str:
    """JSON strings are strings of Python too; what differs is true, false and null."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Mapping() if len(value) <= 1:
            return (
                "{" + ", ".join(f"{json.dumps(key)}: {_python_literal(one, depth)}" for key, one in value.items()) + "}"
            )
        case Mapping():
            pad = "    " * depth
            items = (f"{pad}    {json.dumps(key)}: {_python_literal(one, depth + 1)},\n" for key, one in value.items())
            return "{\n" + "".join(items) + pad + "}"
        case list():
            return "[" + ", ".join(_python_literal(one, depth) for one in value) + "]"
        case _:
            return repr(value)
