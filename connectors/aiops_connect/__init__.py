"""From an OpenAPI document to the connectors of automation platforms."""
