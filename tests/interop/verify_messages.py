"""jwcrypto verifies what a gateway hands out under /v1/messages/{id}/jws: messages and receipts.

Facts: `originals` (the answer's file), `lists` (country to files `list` and `authority`), and what must be
in it: `id`, `sender`, `recipients`, `receipts` (how many).
"""

import hashlib
import json
import pathlib

from jwcrypto.common import json_decode
from jwcrypto.jws import InvalidJWSObject, InvalidJWSSignature, JWS

from common import base64url, bent_segment, expect, expect_refused, expect_taken, facts
from trust import all_signing_keys, signed, verified_list

MESSAGE = "rovuma+jws"
REFUSALS = (InvalidJWSObject, InvalidJWSSignature)


def named_key(compact, keys):
    """The agency and key that the header names, before anything is verified."""
    jws = JWS()
    jws.deserialize(compact)
    kid = jws.jose_header["kid"]
    expect(kid in keys, f"key {kid} is in no trust list")
    return keys[kid]


def verified(compact, keys):
    """The message, when the agency that it names as its sender has signed it, and no bent copy passes."""
    agency, key = named_key(compact, keys)
    payload = expect_taken(f"a JWS of {agency}", REFUSALS, lambda: signed(compact, key, MESSAGE))
    message = json_decode(payload)
    sender = message["header"]["sender"]["agency"]
    expect(sender == agency, f"{agency} signed a message of {sender}")
    for place, name in enumerate(["protected header", "payload", "signature"]):
        copy = bent_segment(compact, place)
        expect_refused(f"a bent {name}", REFUSALS, lambda: signed(copy, key, MESSAGE))
    for other_agency, other in keys.values():
        if other.thumbprint() != key.thumbprint():
            what = f"a signature of {agency} as one of {other_agency}"
            expect_refused(what, REFUSALS, lambda: signed(compact, other, MESSAGE))
    return message


def check_lists(lists):
    """Every list passes under its own authority, and under no other country's."""
    for country, place in lists.items():
        expect_taken(f"the list of {country}", REFUSALS, lambda: verified_list(place))
        for other, other_place in lists.items():
            if other != country:
                swapped = {"list": place["list"], "authority": other_place["authority"]}
                what = f"the list of {country} under the authority of {other}"
                expect_refused(what, REFUSALS, lambda: verified_list(swapped))


def main():
    wanted = facts()
    check_lists(wanted["lists"])
    keys = all_signing_keys(wanted["lists"])
    originals = json.loads(pathlib.Path(wanted["originals"]).read_text())

    expect(len(originals["messages"]) == 1, "expected the message as it was signed for one country")
    compact = originals["messages"][0]["jws"]
    message = verified(compact, keys)
    header = message["header"]
    expect(header["id"] == wanted["id"], f"this is message {header['id']}")
    expect(header["sender"]["agency"] == wanted["sender"], f"the sender is {header['sender']}")
    recipients = [recipient["agency"] for recipient in header["recipients"]]
    expect(recipients == wanted["recipients"], f"the recipients are {recipients}")
    digest = base64url(hashlib.sha256(compact.encode()).digest())
    expect(originals["messages"][0]["digest"] == digest, "the digest is not SHA-256 of the compact JWS")

    expect(len(originals["receipts"]) == wanted["receipts"], f"there are {len(originals['receipts'])} receipts")
    for original in originals["receipts"]:
        receipt = verified(original["jws"], keys)
        signer = receipt["header"]["sender"]["agency"]
        expect(signer in recipients, f"{signer} is no recipient of the message")
        expect(receipt["header"]["type"].startswith("receipt."), f"a {receipt['header']['type']} is no receipt")
        named = [entry["digest"] for entry in receipt["body"]["entries"] if entry["id"] == wanted["id"]]
        expect(named == [digest], f"the receipt of {signer} names {named}, the message's digest is {digest}")


main()
