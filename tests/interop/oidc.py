"""Authlib as a client of our identity provider, from its discovery document on."""

import html.parser
import pathlib
import secrets
import time

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken

from common import expect

# Every answer comes from this machine.
TIMEOUT_S = 20


class LoginForm(html.parser.HTMLParser):
    """The one form of a page: where it goes, and what it holds already."""

    def __init__(self, page):
        super().__init__()
        self.action, self.method, self.fields = None, None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.action, self.method = attributes["action"], attributes["method"]
        if tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")


class Provider:
    """The provider, as its discovery document describes it."""

    def __init__(self, issuer):
        found = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=TIMEOUT_S)
        found.raise_for_status()
        self.metadata = found.json()
        expect(self.metadata["issuer"] == issuer, f"{issuer} calls itself {self.metadata['issuer']}")
        jwks = requests.get(self.metadata["jwks_uri"], timeout=TIMEOUT_S)
        jwks.raise_for_status()
        self.keys = JsonWebKey.import_key_set(jwks.json())

    def client(self, client_id, **more):
        """An Authlib session."""
        return OAuth2Session(client_id, token_endpoint=self.metadata["token_endpoint"], **more)

    def claims(self, token, audience, claims_cls=None, params=None):
        """The claims of a token that the provider signed for this audience and that is valid now."""
        options = {
            "iss": {"essential": True, "value": self.metadata["issuer"]},
            "aud": {"essential": True, "value": audience},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        reader = JsonWebToken(self.metadata["id_token_signing_alg_values_supported"])
        claims = reader.decode(token, self.keys, claims_cls, options, params)
        claims.validate(now=int(time.time()))
        return claims

    def id_claims(self, token, client_id, nonce):
        """The claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7)."""
        return self.claims(token, client_id, CodeIDToken, {"client_id": client_id, "nonce": nonce})


class Login:
    """One person on the way through the log-in page with a browser of their own."""

    def __init__(self, provider, wanted):
        self.provider, self.redirect_uri = provider, wanted["redirect_uri"]
        self.verifier, self.nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        self.client = provider.client(
            wanted["client_id"],
            scope="openid profile",
            redirect_uri=self.redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        )

    def page(self, browser, redirect_uri=None):
        """The answer to the authorization request, and the `state` it was made with."""
        url, state = self.client.create_authorization_url(
            self.provider.metadata["authorization_endpoint"],
            code_verifier=self.verifier,
            nonce=self.nonce,
            redirect_uri=redirect_uri or self.redirect_uri,
        )
        return browser.get(url, allow_redirects=False, timeout=TIMEOUT_S), state

    def redirect(self, person):
        """Logs in; where the browser is sent with the code, and the `state` that belongs there."""
        with requests.Session() as browser:
            page, state = self.page(browser)
            expect(page.status_code == 200, f"the log-in page answered {page.status_code}")
            form = LoginForm(page.text)
            expect(form.method == "post", f"the log-in form is sent by {form.method}")
            password = pathlib.Path(person["password_file"]).read_text().strip()
            form.fields.update(login=person["login"], password=password)
            target = requests.compat.urljoin(page.url, form.action)
            answer = browser.post(target, data=form.fields, allow_redirects=False, timeout=TIMEOUT_S)
        expect(answer.status_code == 303, f"{person['login']} was not let in: {answer.status_code}")
        return answer.headers["Location"], state

    def tokens(self, person, **instead):
        """Redeems the code, all as it should be but for what is given instead."""
        location, state = self.redirect(person)
        expect(location.startswith(f"{self.redirect_uri}?"), f"the browser was sent to {location}")
        proof = {"code_verifier": self.verifier, "redirect_uri": self.redirect_uri} | instead
        return self.client.fetch_token(authorization_response=location, state=state, **proof)
