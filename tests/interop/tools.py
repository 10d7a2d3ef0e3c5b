"""The command lines of age and zstd, fed by pipes."""

import subprocess


class Refused(Exception):
    """The tool ended with a failure."""


def run(command, data):
    """What the command makes of these bytes."""
    outcome = subprocess.run(command, input=data, capture_output=True)
    if outcome.returncode != 0:
        raise Refused(f"{command[0]}: {outcome.stderr.decode(errors='replace').strip()}")
    return outcome.stdout


def age_open(sealed, identity_file):
    return run(["age", "--decrypt", "--identity", identity_file], sealed)


def age_seal(data, recipient):
    return run(["age", "--encrypt", "--recipient", recipient], data)


def zstd_unpack(frame, dictionary_file):
    return run(["zstd", "--quiet", "--decompress", "--stdout", "-D", dictionary_file], frame)


def zstd_pack(data, dictionary_file):
    return run(["zstd", "--quiet", "--stdout", "-D", dictionary_file], data)
