"""Authlib logs an officer in by authorization code and PKCE, checks the tokens, and calls the gateway.

Facts: `issuer`, `gateway`, `audience` (of access tokens), `client_id`, `redirect_uri`, `officer` (`login`,
`password_file`), `agency`, `role`.
"""

import requests
from authlib.integrations.base_client import OAuthError
from authlib.jose.errors import JoseError

from common import bent_segment, expect, expect_refused, expect_taken, facts
from oidc import TIMEOUT_S, Login, Provider

# What Authlib raises; of a key that the published set does not have, a plain ValueError.
REFUSALS = (JoseError, ValueError)


def inbox(gateway, token):
    """How the gateway answers somebody with this token who asks for the inbox."""
    header = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{gateway}/v1/inbox", headers=header, timeout=TIMEOUT_S)


def check_login(provider, wanted):
    """The whole way; the access token."""
    login = Login(provider, wanted)
    tokens = login.tokens(wanted["officer"])
    expect(tokens["token_type"] == "Bearer", f"the token is a {tokens['token_type']}")
    id_token, access_token = tokens["id_token"], tokens["access_token"]
    reading = lambda: provider.id_claims(id_token, wanted["client_id"], login.nonce)
    identity = expect_taken("the ID token", REFUSALS, reading)
    access = expect_taken("the access token", REFUSALS, lambda: provider.claims(access_token, wanted["audience"]))
    # RFC 9068, section 2: so that no other JWT of the provider passes for an access token.
    expect(access.header["typ"] == "at+jwt", f"the access token is a {access.header['typ']}")
    expect(access["client_id"] == wanted["client_id"], f"the token is for {access['client_id']}")
    expect(access["sub"] == identity["sub"], "the two tokens speak for different people")
    expect(access["agency"] == wanted["agency"], f"the officer is of {access['agency']}")
    expect(access["roles"] == [wanted["role"]], f"the officer's roles are {access['roles']}")

    said = login.client.get(provider.metadata["userinfo_endpoint"], timeout=TIMEOUT_S).json()
    expect(said["sub"] == identity["sub"], "userinfo speaks for somebody else")
    answer = login.client.get(f"{wanted['gateway']}/v1/inbox", timeout=TIMEOUT_S)
    expect(answer.status_code == 200, f"the gateway answered {answer.status_code}: {answer.text}")
    expect(answer.json()["items"] == [], "the inbox of a new installation is empty")
    return tokens


def check_bent(provider, wanted, tokens):
    """Neither Authlib nor the gateway takes a token with a bent byte, nor one token for another."""
    for place, name in enumerate(["header", "payload", "signature"]):
        access = bent_segment(tokens["access_token"], place)
        expect_refused(f"a bent {name}", REFUSALS, lambda: provider.claims(access, wanted["audience"]))
        status = inbox(wanted["gateway"], access).status_code
        expect(status == 401, f"the gateway answered {status} to a token with a bent {name}")
    status = inbox(wanted["gateway"], tokens["id_token"]).status_code
    expect(status == 401, f"the gateway answered {status} to an ID token")


def check_refusals(provider, wanted):
    """A code is worth nothing without its verifier and its redirect URI, and goes nowhere else."""
    instead = {
        "another verifier": {"code_verifier": "v" * 43},
        "another redirect URI": {"redirect_uri": wanted["redirect_uri"].replace("callback", "elsewhere")},
    }
    for what, changed in instead.items():
        try:
            Login(provider, wanted).tokens(wanted["officer"], **changed)
        except OAuthError as refusal:
            expect(refusal.error == "invalid_grant", f"{what}: {refusal.error}")
        else:
            expect(False, f"a code with {what} was redeemed")
    with requests.Session() as browser:
        page, _ = Login(provider, wanted).page(browser, "https://elsewhere.example/callback")
    expect(page.status_code == 400, f"a redirect that is not registered is answered {page.status_code}")
    expect("Location" not in page.headers, f"the browser was sent to {page.headers.get('Location')}")


def main():
    wanted = facts()
    provider = Provider(wanted["issuer"])
    tokens = check_login(provider, wanted)
    check_bent(provider, wanted, tokens)
    check_refusals(provider, wanted)


main()
