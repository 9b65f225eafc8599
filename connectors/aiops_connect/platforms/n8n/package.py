"""What is around the code of a package: its description, its papers, and workflows to start from."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from aiops_connect import ir, printing
from aiops_connect.emitter import GeneratedFile, templates
from aiops_connect.platforms.n8n import answers, examples, naming, prose
from aiops_connect.platforms.n8n.credentials import Credential
from aiops_connect.platforms.n8n.triggers import Triggers
from aiops_connect.publisher import Publisher

VERSION = "0.1.0"
N8N_VERSION = "2.41.1"
"""The n8n that the tests run packages in."""
_LICENSED_YEARS = "2026"
_COPIED = {
    "tsconfig.json": "tsconfig.json",
    "eslint.config.mjs": "eslint.config.mjs",
    "prettierrc.js": ".prettierrc.js",
    "gitignore": ".gitignore",
    "npmrc": ".npmrc",
    "ci.yml": ".github/workflows/ci.yml",
    "publish.yml": ".github/workflows/publish.yml",
    "CHANGELOG.md": "CHANGELOG.md",
}
_DEVELOPMENT = {
    "@n8n/node-cli": "0.48.3",
    "@types/node": "24.10.1",
    "eslint": "9.29.0",
    "prettier": "3.6.2",
    "release-it": "20.2.1",
    "typescript": "5.9.3",
}


@dataclass(frozen=True, slots=True)
class Package:
    """What the code of a package came of."""

    app: ir.App
    publisher: Publisher
    stem: str
    groups: tuple[naming.Steps, ...]
    credentials: tuple[Credential, ...]
    triggers: Triggers | None

    @property
    def name(self) -> str:
        return f"n8n-nodes-{self.publisher.name}"


def files(one: Package) -> Iterator[GeneratedFile]:
    """All but the code."""
    app, publisher, stem, triggers, name = one.app, one.publisher, one.stem, one.triggers, one.name
    folder = resources.files(__package__) / "templates" / "package"
    for source, target in _COPIED.items():
        yield GeneratedFile(target, (folder / source).read_text(encoding="utf-8"))
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    lock["name"] = lock["packages"][""]["name"] = name
    yield GeneratedFile("package-lock.json", _json(lock))
    yield GeneratedFile("package.json", _json(_manifest(one)))
    environment = templates(__package__)
    environment.filters.update({"code": printing.code, "cell": _cell})
    workflows = examples.workflows(one.groups, one.credentials, stem, name)
    facts = {
        "app": app,
        "publisher": publisher,
        "package": name,
        "title": prose.title(publisher.title),
        "groups": one.groups,
        "credentials": one.credentials,
        "triggers": triggers,
        "n8n_version": N8N_VERSION,
        "is_renewed": any(each.is_oauth for each in one.credentials),
        "workflows": [path for path, _ in workflows],
        "is_paid": any(each.credits is not None for each in app.operations),
        "credits_name": next(iter(_credits_names(app)), ""),
        "is_slow": any(isinstance(each.execution, ir.Job) for each in app.operations),
        "year": _LICENSED_YEARS,
    }
    for template, target in (("README.md.jinja", "README.md"), ("LICENSE.md.jinja", "LICENSE.md")):
        yield GeneratedFile(target, environment.get_template(f"package/{template}").render(facts))
    yield GeneratedFile(f"nodes/{stem}/{stem}.node.json", _json(_codex(one, "")))
    if triggers is not None:
        path = f"nodes/{stem}Trigger/{stem}Trigger.node.json"
        yield GeneratedFile(path, _json(_codex(one, "Trigger")))
    for path, workflow in workflows:
        yield GeneratedFile(path, _json(workflow))


def _credits_names(app: ir.App) -> Iterator[str]:
    """What the member of an output is called that tells what work has cost."""
    for operation in app.operations:
        if operation.credits is not None and (cost := answers.credits_of(app, operation)) is not None:
            yield str(cost["name"])


def _manifest(one: Package) -> dict[str, object]:
    app, publisher, stem = one.app, one.publisher, one.stem
    suffixes = ["", *(["Trigger"] if one.triggers is not None else [])]
    title = re.sub(r"[<>{}]", "", prose.inert(app.title)).strip() or publisher.title
    return {
        "name": one.name,
        "version": VERSION,
        "description": f"n8n nodes for {title}",
        "license": "MIT",
        "homepage": publisher.homepage,
        "keywords": ["n8n-community-node-package"],
        "author": {"name": publisher.author, "email": publisher.email},
        "repository": {"type": "git", "url": f"git+{publisher.repository}.git"},
        "files": ["dist"],
        "scripts": {
            "build": "n8n-node build",
            "build:watch": "tsc --watch",
            "dev": "n8n-node dev",
            "lint": "n8n-node lint",
            "lint:fix": "n8n-node lint --fix",
            "release": "n8n-node release",
            "prepublishOnly": "n8n-node prerelease",
        },
        "n8n": {
            "n8nNodesApiVersion": 1,
            "strict": True,
            "credentials": [f"dist/credentials/{each.class_name}.credentials.js" for each in one.credentials],
            "nodes": [f"dist/nodes/{stem}{suffix}/{stem}{suffix}.node.js" for suffix in suffixes],
        },
        "devDependencies": _DEVELOPMENT,
        "peerDependencies": {"n8n-workflow": "*"},
    }


def _codex(one: Package, suffix: str) -> dict[str, object]:
    app, publisher = one.app, one.publisher
    node = f"{one.stem}{suffix}"
    aliases = sorted({group.name for group in one.groups} | {_plain(app.title)})
    return {
        "node": f"{one.name}.{node[0].lower()}{node[1:]}",
        "nodeVersion": "1.0",
        "codexVersion": "1.0",
        "categories": ["AI"] if any(each.credits is not None for each in app.operations) else ["Development"],
        "alias": aliases[:20],
        "resources": {
            "credentialDocumentation": [{"url": publisher.homepage}],
            "primaryDocumentation": [{"url": publisher.homepage}],
        },
    }


def _plain(text: str) -> str:
    return prose.inert(text)


def _cell(text: str) -> str:
    """Text in a table, as code, where nothing of it is markup but the mark between cells."""
    return printing.code(text).replace("|", "\\|")


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
