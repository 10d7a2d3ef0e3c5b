"""What the scripts share: the facts that the test wrote, a folder to answer in, and a way to say no.

Of the exchange itself nothing is shared: each script reads our formats with a stranger's tool.
"""

import base64
import json
import pathlib
import sys


def facts():
    """The facts that the test wrote for this script: a JSON file, its only argument."""
    return json.loads(pathlib.Path(sys.argv[1]).read_text())


def answer(name, content):
    """Leaves a file for the test, beside the facts."""
    pathlib.Path(sys.argv[1]).with_name(name).write_bytes(content)


def fail(sentence):
    """Ends the script: the test fails with this sentence."""
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {sentence}")


def expect(holds, sentence):
    """Fails with the sentence, which says what is wrong, unless it holds."""
    if not holds:
        fail(sentence)


def expect_taken(what, refusals, attempt):
    """What the attempt gives; fails when it ends in one of the refusals."""
    try:
        return attempt()
    except refusals as refusal:
        return fail(f"{what} was refused: {refusal}")


def expect_refused(what, refusals, attempt):
    """Fails unless the attempt ends in one of the refusals that the tool is known to raise."""
    try:
        attempt()
    except refusals:
        return
    fail(f"{what} was taken")


def base64url(data):
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text):
    """The bytes of a base64url text."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def bent(data, at):
    """The same bytes with one bit of one byte turned."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def bent_segment(token, place):
    """A compact JWS with one bit in the middle of one of its segments turned, before base64url."""
    segments = token.split(".")
    raw = from_base64url(segments[place])
    segments[place] = base64url(bent(raw, len(raw) // 2))
    return ".".join(segments)
