"""A stock validator reads our OpenAPI documents, and a YAML parser the AsyncAPI one.

Facts: `openapi` (files), `asyncapi` (a file). Runs in the virtual environment of requirements.txt.
"""

import copy
import json
import pathlib

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing.exceptions import Unresolvable

from common import expect, facts, fail


def faults(document, path):
    """What the validator finds wrong with a document that lies, or would lie, at this path."""
    try:
        return [fault.message for fault in OpenAPIV31SpecValidator(document, path.as_uri()).iter_errors()]
    # A reference that leads nowhere it raises instead of listing.
    except Unresolvable as fault:
        return [f"{fault.ref} leads nowhere"]


def check_openapi(file):
    """The document is OpenAPI 3.1, and would not be with a fault in it."""
    path = pathlib.Path(file)
    document = json.loads(path.read_text())
    expect(document["openapi"].startswith("3.1."), f"{file} is OpenAPI {document['openapi']}")
    expect(document["paths"], f"{file} describes no path")
    found = faults(document, path)
    expect(not found, f"{file}: {found}")

    without_title = copy.deepcopy(document)
    del without_title["info"]["title"]
    dangling = copy.deepcopy(document)
    answers = next(iter(next(iter(dangling["paths"].values())).values()))["responses"]
    answers["200"] = {"$ref": "#/components/responses/Nowhere"}
    for what, broken in {"no title": without_title, "a dangling reference": dangling}.items():
        expect(faults(broken, path), f"the validator takes {file} with {what}")


def references(node):
    """Every `$ref` of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def follow(document, pointer):
    """What a JSON pointer in a fragment (RFC 6901, section 6) leads to, if anything."""
    for word in pointer.removeprefix("/").split("/"):
        document = document.get(word.replace("~1", "/").replace("~0", "~")) if isinstance(document, dict) else None
    return document


def check_asyncapi(file):
    """The document is YAML, and each of its references leads to something."""
    path = pathlib.Path(file)
    document = yaml.safe_load(path.read_text())
    expect(document["asyncapi"].startswith("3."), f"{file} is AsyncAPI {document['asyncapi']}")
    found = list(references(document))
    expect(found, f"{file} has no reference to follow")
    for reference in found:
        place, _, pointer = reference.partition("#")
        target = document if not place else json.loads((path.parent / place).read_text())
        if pointer and follow(target, pointer) is None:
            fail(f"{file}: {reference} leads nowhere")


def main():
    wanted = facts()
    expect(wanted["openapi"], "there is no OpenAPI document")
    for file in wanted["openapi"]:
        check_openapi(file)
    check_asyncapi(wanted["asyncapi"])


main()
