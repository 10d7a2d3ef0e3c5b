"""aics-tlog checks published audit logs by the policy that their auditors have.

Facts: `policy` (the file), `logs` (their folders). It answers with `verdicts.json`: of each, null when it holds, or the
first thing that does not.
"""

import json
import pathlib

from aics_tlog import FileSystemTileReader, audit_tiles, parse_note, parse_vkey, verify_checkpoint

from common import answer, expect, facts


def keys_of(policy):
    """The keys of logs and of witnesses in a policy (C2SP tlog-policy) that asks for all of its witnesses."""
    logs, witnesses, groups = [], [], {}
    quorum = None
    for line in policy.splitlines():
        match line.split():
            case ["log", key, *_]:
                logs.append(parse_vkey(key))
            case ["witness", name, key, *_]:
                witnesses.append((name, parse_vkey(key)))
            case ["group", name, "all", *members]:
                groups[name] = members
            case ["quorum", name]:
                quorum = name
    names = sorted(name for name, _ in witnesses)
    expect(sorted(groups.get(quorum, [])) == names, "the policy does not ask for all of its witnesses")
    return logs, [key for _, key in witnesses]


def fault(folder, logs, witnesses):
    """The first thing about a log that does not hold."""
    try:
        note = parse_note((folder / "checkpoint").read_text(encoding="utf-8"))
        origin = note.text.splitlines()[0]
        named = [key for key in logs if key.name == origin]
        if len(named) != 1:
            return f"the policy has no log {origin}"
        head = verify_checkpoint(
            note, named[0], witness_keys=witnesses, quorum=len(witnesses), expected_origin=origin
        )
        if not head.ok:
            return head.error
        audit_tiles(FileSystemTileReader(folder), head.size, head.root)
    except (ValueError, OSError, RuntimeError) as said:
        return f"{type(said).__name__}: {said}"
    return None


given = facts()
keys = keys_of(pathlib.Path(given["policy"]).read_text(encoding="utf-8"))
verdicts = [fault(pathlib.Path(folder), *keys) for folder in given["logs"]]
answer("verdicts.json", json.dumps(verdicts).encode())
