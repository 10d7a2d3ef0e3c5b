"""jwcrypto draws a key and signs a message with it, as an agency's own software would.

Facts: `example` (a message to write like), `sender`, `recipient`. Answers: `key.jwk`, the public key for
the trust list; `message.jws`; `bent.jws`, the same with one bit of its payload turned; `id`.
"""

import datetime
import json
import pathlib
import secrets
import time
import uuid

from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from common import answer, base64url, bent, facts


def message_id():
    """A UUIDv7 (RFC 9562, section 5.7), which this Python cannot draw yet."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=number))


def instant(moment):
    """RFC 3339 in UTC, to the microsecond."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def write_message(wanted):
    """The example's alert, as a new message of the sender."""
    message = json.loads(pathlib.Path(wanted["example"]).read_text())
    now = datetime.datetime.now(datetime.timezone.utc)
    identity = message_id()
    recipient = {"agency": wanted["recipient"], "lane": "normal", "stream": secrets.token_hex(16), "number": 1}
    message["header"].update(
        id=identity,
        case={"kind": "alert", "owner": wanted["sender"], "id": identity},
        sender={"agency": wanted["sender"]},
        recipients=[recipient],
        created=instant(now),
        expires=instant(now + datetime.timedelta(days=1)),
    )
    return message


def main():
    key = JWK.generate(kty="OKP", crv="Ed25519")
    answer("key.jwk", key.export_public().encode())

    message = write_message(facts())
    payload = json.dumps(message, ensure_ascii=False).encode()
    jws = JWS(payload)
    jws.add_signature(key, None, json.dumps({"alg": "EdDSA", "typ": "rovuma+jws", "kid": key.thumbprint()}))
    compact = jws.serialize(compact=True)
    answer("id", message["header"]["id"].encode())
    answer("message.jws", compact.encode())

    # Within a word of the text: what is bent still reads as a message, only the signature does not hold.
    protected, _, signature = compact.split(".")
    altered = base64url(bent(payload, payload.index(b"Mueda")))
    answer("bent.jws", f"{protected}.{altered}.{signature}".encode())


main()
