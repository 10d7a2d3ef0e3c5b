"""Authlib gets tokens for machine clients, by secret and by signed assertion, and calls the gateway.

Facts: as for `person.py`, and `admin` (`login`, `password_file`), who registers the machines.
"""

import time

import requests
from authlib.integrations.base_client import OAuthError
from authlib.jose import ECKey
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from common import expect, facts
from oidc import TIMEOUT_S, Login, Provider


def register(wanted, admin, draft):
    """Registers a machine client, as its agency's administrator does."""
    draft = {"name": "A stranger's program", "roles": ["agency_system"]} | draft
    header = {"Authorization": f"Bearer {admin}"}
    answer = requests.post(f"{wanted['issuer']}/v1/clients", json=draft, headers=header, timeout=TIMEOUT_S)
    expect(answer.status_code == 201, f"{draft['id']} was not registered: {answer.text}")
    return answer.json()


def check_token(provider, wanted, client):
    """Gets a token for the machine, checks it and uses it."""
    token = client.fetch_token(grant_type="client_credentials")
    claims = provider.claims(token["access_token"], wanted["audience"])
    expect(claims["sub"] == client.client_id, f"the token speaks for {claims['sub']}")
    expect(claims["agency"] == wanted["agency"], f"the machine is of {claims['agency']}")
    answer = client.get(f"{wanted['gateway']}/v1/inbox", timeout=TIMEOUT_S)
    expect(answer.status_code == 200, f"the gateway answered {answer.status_code}: {answer.text}")


def check_refused(what, client):
    """Fails unless the provider says that the client is not who it says it is."""
    try:
        client.fetch_token(grant_type="client_credentials")
    except OAuthError as refusal:
        expect(refusal.error == "invalid_client", f"{what}: {refusal.error}")
    else:
        expect(False, f"{what} got a token")


def by_secret(provider, wanted, admin):
    """client_secret_basic and client_secret_post (RFC 6749, section 2.3.1)."""
    client_id = f"{wanted['agency']}.secret"
    secret = register(wanted, admin, {"id": client_id})["client_secret"]
    for method in ("client_secret_basic", "client_secret_post"):
        more = {"token_endpoint_auth_method": method}
        check_token(provider, wanted, provider.client(client_id, client_secret=secret, **more))
        check_refused("a wrong secret", provider.client(client_id, client_secret=secret[::-1], **more))


def by_assertion(provider, wanted, admin):
    """private_key_jwt (RFC 7523). The audience is the issuer: its own metadata does not say another one."""
    client_id, kid = f"{wanted['agency']}.assertion", "stranger-1"

    def client(key):
        session = provider.client(
            client_id, client_secret=key, token_endpoint_auth_method=PrivateKeyJWT.name
        )
        # Authlib's assertions live for an hour unless told otherwise; the provider takes five minutes.
        claims = {"exp": int(time.time()) + 240}
        session.register_client_auth_method(PrivateKeyJWT(wanted["issuer"], claims=claims, alg="ES256"))
        return session

    def draw():
        return ECKey.generate_key("P-256", {"kid": kid}, is_private=True)

    key = draw()
    register(wanted, admin, {"id": client_id, "jwks": {"keys": [key.as_dict(is_private=False)]}})
    check_token(provider, wanted, client(key))
    check_refused("another key of the same name", client(draw()))


def main():
    wanted = facts()
    provider = Provider(wanted["issuer"])
    admin = Login(provider, wanted).tokens(wanted["admin"])["access_token"]
    by_secret(provider, wanted, admin)
    by_assertion(provider, wanted, admin)


main()
