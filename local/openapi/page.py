"""The description as a page for people: plain HTML, without a script and without anything from elsewhere."""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8884; --faint: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: var(--faint); padding: .75rem; overflow-x: auto; border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; padding: .3rem 0; }
.method { font-weight: 700; }
"""


def render_page(document: dict[str, Any]) -> str:
    info = document["info"]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} API <small>{escape(info['version'])}</small></h1>",
        *(f"<p>{prose(part)}</p>" for part in info["description"].split("\n\n")),
        '<p>For programs: <a href="openapi.json">openapi.json</a>, OpenAPI 3.1.</p>',
        *contents(document),
        *(part for one in operations_in(document) for part in operation_parts(*one, document=document)),
        *schemas_parts(document),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def prose(text: str) -> str:
    """Escaped text, in which what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def operations_in(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def contents(document: dict[str, Any]) -> Iterator[str]:
    yield "<ul>"
    for method, path, operation in operations_in(document):
        link = f'<a href="#{escape(operation["operationId"])}"><code>{method} {escape(path)}</code></a>'
        yield f"<li>{link} {prose(operation['summary'])}</li>"
    yield "</ul>"


def operation_parts(
    method: str, path: str, operation: dict[str, Any], *, document: dict[str, Any]
) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<h2 id="{name}"><code><span class="method">{method}</span> {escape(path)}</code></h2>'
    yield f"<p>{prose(operation['summary'])} {prose(operation.get('description', ''))}</p>"
    for need in operation.get("security", []):
        yield f"<p>The key needs the scope <code>{escape(' '.join(need['key']))}</code>.</p>"
    yield from parameters_parts([resolve(one, document=document) for one in operation["parameters"]])
    if "requestBody" in operation:
        yield "<h3>Body</h3>"
        yield from content_parts(operation["requestBody"]["content"])
    yield "<h3>Answers</h3>"
    for status, response in operation["responses"].items():
        yield f"<details><summary><b>{status}</b> {prose(response['description'])}</summary>"
        yield from headers_parts(response["headers"], document=document)
        yield from content_parts(response["content"])
        yield "</details>"


def parameters_parts(parameters: list[dict[str, Any]]) -> Iterator[str]:
    yield "<h3>Parameters</h3><table><tr><th>name<th>in<th>needed<th>what it is</tr>"
    for one in parameters:
        needed = "yes" if one["required"] else "no"
        yield f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}<td>{needed}"
        yield f"<td>{prose(one.get('description', ''))}</tr>"
    yield "</table>"


def headers_parts(headers: dict[str, Any], *, document: dict[str, Any]) -> Iterator[str]:
    yield "<table>"
    for name, header in headers.items():
        said = resolve(header, document=document)["description"]
        yield f"<tr><td><code>{escape(name)}</code><td>{prose(said)}</tr>"
    yield "</table>"


def content_parts(content: dict[str, Any]) -> Iterator[str]:
    for media in content.values():
        yield f"<p>{kind_of(media['schema'])}</p>"
        for name, example in media["examples"].items():
            text = json.dumps(example["value"], indent=2, ensure_ascii=False)
            yield f"<pre aria-label={json.dumps(escape(name))}>{escape(text)}</pre>"


def schemas_parts(document: dict[str, Any]) -> Iterator[str]:
    yield "<h2>What is sent and answered</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}" open><summary><code>{escape(name)}</code></summary>'
        yield f"<p>{prose(schema.get('description', ''))}</p>"
        yield "<table><tr><th>field<th>type<th>always there<th>what it is</tr>"
        for field, one in schema.get("properties", {}).items():
            always = "yes" if field in schema.get("required", []) else "no"
            yield f"<tr><td><code>{escape(field)}</code><td>{kind_of(one)}<td>{always}"
            yield f"<td>{prose(one.get('description', ''))}</tr>"
        yield "</table></details>"


def kind_of(schema: dict[str, Any]) -> str:
    """A schema in a few words, with a link to what has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "oneOf" in schema or "anyOf" in schema:
        return " or ".join(kind_of(one) for one in schema.get("oneOf") or schema["anyOf"])
    if "const" in schema or "enum" in schema:
        values = schema.get("enum") or [schema["const"]]
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {kind_of(schema['items'])}"
    return escape(schema.get("format") or schema.get("type") or "anything")


def resolve(one: dict[str, Any], *, document: dict[str, Any]) -> dict[str, Any]:
    """What a reference stands for, or the thing itself."""
    if "$ref" not in one:
        return one
    found: dict[str, Any] = document
    for part in one["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
