"""Whatever a document holds, Zapier's own schema takes what is made of it."""

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings

from aiops_connect.openapi import parse
from aiops_connect.platforms.zapier.definition import definition
from aiops_connect.platforms.zapier.package import PLATFORM, version
from aiops_connect.platforms.zapier.steps import steps
from tests.connectors.platforms.zapier.app_in_core import APP, NODE
from tests.fixtures.any_document import documents
from tests.fixtures.publisher import PUBLISHER

EXAMPLES = 100
OF_EVERY_OBJECT = {  # what JavaScript finds in an object that has no such member
    "openapi": "3.1.0",
    "info": {"title": "Names", "version": "1"},
    "servers": [{"url": "https://names.example"}],
    "paths": {
        "/names": {
            "get": {
                "operationId": "list_names",
                "parameters": [{"name": "constructor", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"description": "Names."}},
            }
        }
    },
}
VALIDATE = """
const { validateAppDefinition } = require('zapier-platform-schema');
let text = '';
process.stdin.on('data', (chunk) => (text += chunk)).on('end', () => {
  const errors = JSON.parse(text).map((one) => validateAppDefinition(one).errors.map(String));
  process.stdout.write(JSON.stringify(errors));
});
"""


def made() -> list[dict[str, Any]]:
    """Definitions of many documents: they are looked at together, since Node takes longer to start than to look."""
    found: list[dict[str, Any]] = []

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents)
    @example(OF_EVERY_OBJECT)
    def collect(tree: Any) -> None:
        app = parse(tree).app
        assert app is not None
        found.append({"version": version(app), "platformVersion": PLATFORM, **definition(steps(app, PUBLISHER))})

    collect()
    return found


async def test_the_schema_takes_what_is_made_of_any_document() -> None:
    definitions = made()
    process = await asyncio.create_subprocess_exec(
        NODE, "-e", VALIDATE, cwd=APP, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(definitions).encode())
    wrong = {
        json.dumps(one)[:2000]: errors for one, errors in zip(definitions, json.loads(output), strict=True) if errors
    }
    assert not wrong, "\n".join(f"{errors}\n{one}" for one, errors in list(wrong.items())[:3])
    assert any(one["creates"] for one in definitions)
