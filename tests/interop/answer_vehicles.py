"""A registry of vehicles answers requests for assistance by itself: a worked example for an agency's own system.

It knows the gateway's OpenAPI document, the events of its agency (`GET /v1/events`) and a CSV file of vehicles, and nothing else of
us. It runs with Python's standard library. Facts: `issuer`, `gateway`, `audience`, `client_id`, `secret_file`, `openapi`, `vehicles`
(a CSV file with plate, country, chassis_number, make, colour, owner) and `answers`, after how many it ends.
"""

import csv
import json
import time
import urllib.parse
import urllib.request

from common import facts

PAUSE_S = 0.5


def call(method, url, token=None, body=None, form=None):
    """Sends a request and returns its JSON answer. A refusal raises `urllib.error.HTTPError`, whose body says why."""
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = urllib.parse.urlencode(form).encode() if form else None
    if body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def log_in(wanted):
    """Logs the machine in (RFC 6749, section 4.4)."""
    provider = call("GET", f"{wanted['issuer']}/.well-known/openid-configuration")
    secret = open(wanted["secret_file"]).read().strip()
    form = {"grant_type": "client_credentials", "client_id": wanted["client_id"], "client_secret": secret}
    return call("POST", provider["token_endpoint"], form=form)["access_token"]


def folded(text):
    """A plate without what people write differently."""
    return "".join(c for c in text.upper() if c.isalnum())


def answer_to(question, vehicles, registry):
    """The answer to one question, by its number."""
    subject = vehicles.get(question.get("subject"), {})
    plate = subject.get("plate", {})
    row = registry.get((folded(plate.get("number", "")), plate.get("country")))
    if row is None:
        return {"n": question["n"], "result": "no_record"}
    found = {"n": question["n"], "result": "found", "text": f"{row['make']}, {row['colour']}, {row['owner']}"}
    if question["ask"] == "vehicle_registration":
        chassis = {"chassis_number": row["chassis_number"]}
        found["data"] = {"vehicles": [{"type": subject["type"], "plate": plate, **chassis}]}
    return found


def main():
    wanted = facts()
    paths = json.load(open(wanted["openapi"]))["paths"]
    route = {operation["operationId"]: path for path, all in paths.items() for operation in all.values()}
    rows = csv.DictReader(open(wanted["vehicles"], newline=""))
    registry = {(folded(row["plate"]), row["country"]): row for row in rows}
    token, after, left = log_in(wanted), 0, wanted["answers"]
    while left:
        events = call("GET", f"{wanted['gateway']}{route['list_events']}?after={after}", token)
        after = events["next"]
        for event in (one for one in events["items"] if one["event"] == "message.received"):
            message = call("GET", wanted["gateway"] + route["read_message"].format(id=event["object"]), token)
            payload = message["payload"]
            if payload["header"]["type"] != "request.submit":
                continue
            vehicles = {one["key"]: one for one in payload["body"].get("subjects", {}).get("vehicles", [])}
            answers = [answer_to(one, vehicles, registry) for one in payload["body"]["questions"]]
            terms = payload["terms"] | {"urgency": {"level": "normal"}, "protection_check": {"confirmed": True}}
            draft = {"type": "request.answer", "status": payload["header"]["status"], "terms": terms}
            draft |= {"case": payload["header"]["case"], "body": {"answers": answers}}
            call("POST", wanted["gateway"] + route["send_message"], token, draft)
            left -= 1
        time.sleep(PAUSE_S)


if __name__ == "__main__":
    main()
