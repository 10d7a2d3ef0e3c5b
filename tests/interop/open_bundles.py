"""age and zstd open bundles of ours, and the parts are split by the layout that our documentation gives.

Facts: `bundles` (files, as taken from a broker), `identity` (the recipient's), `others` (identities that
must not open them), `dictionary`. Answer: `opened.json`, for each bundle its messages as compact JWS.
"""

import json
import pathlib
import struct

from common import answer, base64url, bent, expect, expect_refused, expect_taken, facts
from tools import Refused, age_open, run, zstd_unpack

FORMAT = 1
SIGNATURE_BYTES = 64


def split(data):
    """The messages: for each a length (u32), then the header's length (u16), header, payload, signature."""
    messages = []
    while data:
        (length,) = struct.unpack_from(">I", data)
        body, data = data[4 : 4 + length], data[4 + length :]
        expect(len(body) == length, "the bundle ends before its last message")
        (header_length,) = struct.unpack_from(">H", body)
        header, rest = body[2 : 2 + header_length], body[2 + header_length :]
        parts = (header, rest[:-SIGNATURE_BYTES], rest[-SIGNATURE_BYTES:])
        messages.append(".".join(base64url(part) for part in parts))
    return messages


def opened(sealed, wanted):
    """The messages of one sealed bundle; nobody else opens it, and nobody once a byte is bent."""
    bundle = expect_taken("a bundle", Refused, lambda: age_open(sealed, wanted["identity"]))
    for other in wanted["others"]:
        expect_refused(f"a bundle by {other}", Refused, lambda: age_open(sealed, other))
    for at in (len(sealed) - 1, sealed.index(b"---") + 5):
        copy = bent(sealed, at)
        expect_refused(f"a bundle with byte {at} bent", Refused, lambda: age_open(copy, wanted["identity"]))
    expect(bundle[0] == FORMAT, f"the format is {bundle[0]}")
    frame = bundle[1:]
    # The frame names its dictionary, so that nobody unpacks it with another one into nonsense.
    expect_refused("a frame without its dictionary", Refused, lambda: run(["zstd", "-d", "-c"], frame))
    unpacked = expect_taken("a frame", Refused, lambda: zstd_unpack(frame, wanted["dictionary"]))
    return split(unpacked)


def main():
    wanted = facts()
    expect(wanted["bundles"], "there is no bundle to open")
    everything = [opened(pathlib.Path(file).read_bytes(), wanted) for file in wanted["bundles"]]
    answer("opened.json", json.dumps(everything).encode())


main()
