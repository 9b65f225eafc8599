"""Components of an app, and the files of Make's local development that they become."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiops_connect.emitter import GeneratedFile
from aiops_connect.platforms.make import naming

Code = dict[str, Any] | list[Any]

_SUFFIXES = {
    "communication": "communication.iml.json",
    "params": "params.iml.json",
    "staticParams": "static-params.iml.json",
    "mappableParams": "mappable-params.iml.json",
    "interface": "interface.iml.json",
    "samples": "samples.iml.json",
    "scope": "scope.iml.json",
    "requiredScope": "required-scope.iml.json",
    "attach": "attach.iml.json",
    "detach": "detach.iml.json",
    "update": "update.iml.json",
    "common": "common.json",
    "scopeList": "scope-list.iml.json",
    "defaultScope": "default-scope.iml.json",
}


@dataclass(frozen=True, slots=True)
class Component:
    """One component. `kind` is Make's word for it, `codes` its files by their keys in the manifest."""

    kind: str
    id: str
    metadata: Mapping[str, Any]
    codes: Mapping[str, Code] = field(default_factory=dict)

    def path(self, code: str) -> str:
        name = naming.kebab(self.id)
        is_oauth = code == "communication" and self.metadata.get("connectionType") == "oauth"
        return f"{self.kind}s/{name}/{name}.{'oauth-' if is_oauth else ''}{_SUFFIXES[code]}"

    @property
    def entry(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {**self.metadata, "codeFiles": {code: self.path(code) for code in self.codes}}

    @property
    def files(self) -> list[GeneratedFile]:
        return [json_file(self.path(code), content) for code, content in self.codes.items()]


def json_file(path: str, content: Code) -> GeneratedFile:
    """Half a pair of surrogates, which UTF-8 does not have, becomes a question mark."""
    return GeneratedFile(path, f"{json.dumps(content, ensure_ascii=False, indent=4)}\n".encode("utf-8", "replace"))
