"""age seals a bundle that was put together here and packed by zstd, for our gateway to open.

Facts: `messages` (compact JWS), `recipient` (an agency), `list` (its country's trust list with its
authority), `dictionary`. Answers: `sealed.age`, and `bent.age` with one bit of it turned.
"""

import struct

from common import answer, bent, facts, from_base64url
from tools import age_seal, zstd_pack
from trust import sealing_recipient, verified_list

FORMAT = b"\x01"


def message(compact):
    """One message of a bundle: its length, its header's length, header, payload, signature."""
    header, payload, signature = (from_base64url(segment) for segment in compact.split("."))
    body = struct.pack(">H", len(header)) + header + payload + signature
    return struct.pack(">I", len(body)) + body


def main():
    wanted = facts()
    recipient = sealing_recipient(verified_list(wanted["list"]), wanted["recipient"])
    messages = b"".join(message(compact) for compact in wanted["messages"])
    sealed = age_seal(FORMAT + zstd_pack(messages, wanted["dictionary"]), recipient)
    answer("sealed.age", sealed)
    answer("bent.age", bent(sealed, len(sealed) - 1))


main()
