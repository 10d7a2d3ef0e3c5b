"""Trust lists as jwcrypto reads them: whose key it is that a signature names."""

import json
import pathlib

from jwcrypto.common import json_decode
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from common import expect, fail


def signed(text, key, typ):
    """The payload, when `key` has signed this JWS for the purpose `typ`. Raises what jwcrypto raises."""
    jws = JWS()
    # The list says how signatures are made, the text never does.
    jws.allowed_algs = ["EdDSA"]
    jws.deserialize(text)
    jws.verify(key)
    header = jws.jose_header
    # Of one signature jwcrypto gives one header, of the general serialisation a list of them.
    header = header[0] if isinstance(header, list) else header
    named = {"alg": "EdDSA", "typ": typ, "kid": key.thumbprint()}
    expect(header == named, f"the protected header is {header}, expected {named}")
    return jws.payload


def verified_list(place):
    """A country's list, when the pinned authority has signed it."""
    authority = JWK.from_json(pathlib.Path(place["authority"]).read_text())
    text = pathlib.Path(place["list"]).read_text()
    return json_decode(signed(text, authority, "rovuma-trust+jws"))


def signing_keys(trust_list):
    """The list's keys: thumbprint, as jwcrypto computes it from the key itself, to (agency, key)."""
    keys = {}
    for agency in trust_list["agencies"]:
        for entry in agency["signing_keys"]:
            key = JWK.from_json(json.dumps(entry["key"]))
            expect(key.thumbprint() == entry["kid"], f"{entry['kid']} is not the key's RFC 7638 thumbprint")
            keys[key.thumbprint()] = (agency["code"], key)
    return keys


def all_signing_keys(lists):
    """The keys of every country's list."""
    keys = {}
    for place in lists.values():
        keys.update(signing_keys(verified_list(place)))
    return keys


def sealing_recipient(trust_list, code):
    """The key that others seal to when they write to an agency: an age recipient."""
    for agency in trust_list["agencies"]:
        if agency["code"] == code:
            return agency["sealing_keys"][0]["recipient"]
    return fail(f"{code} is not in the list")
