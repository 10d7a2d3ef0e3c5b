"""Schemathesis makes requests out of our OpenAPI documents, valid and faulty ones, and judges the answers.

Facts: `seed`, `cases` (of each kind, for each operation and caller), `services` (name, `url`, `document`, a file), `callers`
(`role`, `token_file`, and for each service the operations `forbidden` to them). Runs in the virtual environment of
requirements.txt. Leaves `counts.json`: how many requests had which status, by service.

No answer may be a server's error, each must be as the document says, and what the policy forbids a caller must not succeed.
"""

import collections
import json
import pathlib

import hypothesis
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common import answer, expect, facts, fail

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# A stream of events ends with the token and not before: a request for it has no answer to judge.
ENDLESS = {"follow_events"}

# Seconds: longer than any answer takes.
PATIENCE = 30


def run(operation, mode, given, judge):
    """Has the judge look at so many requests for the operation, always the same ones."""

    @hypothesis.seed(given["seed"])
    @hypothesis.settings(
        max_examples=given["cases"],
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        # One failure is enough to read.
        report_multiple_bugs=False,
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def judged(case):
        judge(case)

    judged()


def try_operation(session, service, operation, caller, given, counts):
    """Every request for one operation, as one caller."""
    name = operation.definition.raw["operationId"]
    is_forbidden = name in caller["forbidden"][service["name"]]

    def judge(case):
        response = case.call(base_url=service["url"], session=session, timeout=PATIENCE)
        counts[service["name"]][response.status_code] += 1
        as_whom = f"{service['name']}: {operation.label} as {caller['role']}: {response.status_code} to {case.as_curl_command()}"
        if is_forbidden and 200 <= response.status_code < 300:
            fail(f"{as_whom}: the policy forbids it")
        try:
            case.validate_response(response, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            fail(f"{as_whom}: {failure}\n{response.text[:1000]}")

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        try:
            run(operation, mode, given, judge)
        except hypothesis.errors.Unsatisfiable:
            # An operation without parameters has no faulty requests.
            expect(mode is GenerationMode.NEGATIVE, f"{operation.label}: no valid request can be made")


def main():
    """Every operation of every service as every caller."""
    given = facts()
    counts = collections.defaultdict(collections.Counter)
    schemas = {
        service["name"]: schemathesis.openapi.from_path(service["document"]) for service in given["services"]
    }
    for caller in given["callers"]:
        token = pathlib.Path(caller["token_file"]).read_text()
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {token}"
            for service in given["services"]:
                for found in schemas[service["name"]].get_all_operations():
                    operation = found.ok()
                    if operation.definition.raw["operationId"] not in ENDLESS:
                        try_operation(session, service, operation, caller, given, counts)
    answer("counts.json", json.dumps(counts).encode())


main()
