"""Messages that are small on the wire and huge when expanded: each gets a 4xx quickly, and memory stays bounded."""

import http.client
import json
import os
import pathlib
import secrets
import shlex
import subprocess
import sys
import time
import urllib.parse

try:
    import zstandard
except ImportError as problem:
    print(f"skipped: {os.environ.get('SYNCLINE_VENV_PROBLEM') or problem}")
    sys.exit(77)

# The largest message once, and the memory the process has anyway: a bomb is never held twice.
MOST_MIB = 400
# An algorithm quadratic in these sizes takes several times as long.
MOST_SECONDS = 6


def post(method, header, body):
    base = urllib.parse.urlsplit(os.environ["SYNCLINE_HTTP"])
    connection = http.client.HTTPConnection(base.hostname, base.port, timeout=120)
    connection.request("POST", f"/sync/{method}", body, {"anki-sync": json.dumps(header)})
    answer = connection.getresponse()
    return answer.status, answer.read()


def largest_process():
    """The largest peak memory of any process of the pools, in MiB."""
    sizes = []
    for path in (pathlib.Path(os.environ["SYNCLINE_DIR"]) / "pids").glob("*.*"):
        if path.name.split(".")[0] in ("api", "edge", "transfer", "large"):
            status = pathlib.Path(f"/proc/{path.read_text().split()[0]}/status").read_text()
            sizes += [int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return max(sizes)


def slow_for_the_careless():
    """Ordinary sessions of unusual size: pairwise comparisons, or trying names one after another, would be slow."""
    ids = list(range(1, 20_001))
    cards = [[n, n, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "{}"] for n in ids]
    day = [0, 0]
    decks = [{"id": 10 + n, "name": "One name", "mod": 1, "usn": 0, "lrnToday": day, "revToday": day, "newToday": day,
              "timeToday": day, "collapsed": False, "desc": "", "dyn": 0, "conf": 1} for n in range(2_000)]
    return {
        "20,000 cards deleted and sent again": [
            ("applyGraves", {"chunk": {"cards": ids, "notes": [], "decks": []}}),
            ("applyChunk", {"chunk": {"done": True, "cards": cards}}),
            ("sanityCheck2", {"client": [[0, 0, 0], 0, 0, 0, 0, 0, 0, 0]})],
        "2,000 decks of one name": [
            ("applyChanges", {"changes": {"models": [], "decks": [decks, []], "tags": []}})],
    }


def main():
    name, password = "bombs-" + secrets.token_hex(6), secrets.token_hex(8)
    subprocess.run([*shlex.split(os.environ["SYNCLINE_ADMIN"]), "user", "add", name, "--password-file", "-"],
                   input=password + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
    small = zstandard.ZstdCompressor(level=3).compress
    status, reply = post("hostKey", {"v": 11, "k": "", "c": "c", "s": ""}, small(json.dumps({"u": name, "p": password}).encode()))
    assert status == 200, status
    key = json.loads(zstandard.ZstdDecompressor().decompressobj().decompress(reply))["key"]
    header = {"v": 11, "k": key, "c": "c", "s": "bombs1"}
    assert post("start", header, small(b'{"minUsn":0,"lnewer":true}'))[0] == 200

    million_keys = b'{"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":{' + \
        b",".join(b'"%d":0' % n for n in range(1_000_000)) + b"}}}"
    bombs = {
        "zeros": ("applyChunk", b"\0" * 300_000_000),
        "spaces": ("applyChunk", b" " * 300_000_000),
        "nested arrays": ("applyChunk", b'{"chunk":' + b"[" * 10_000_000),
        "nested objects": ("applyChanges", b'{"a":' * 5_000_000),
        "nested and closed": ("applyChanges", b'{"changes":{"models":[],"decks":[[],[]],"tags":[],"conf":{"x":' +
                              b"[" * 100_000 + b"]" * 100_000 + b"}}}"),
        "a million tags of nothing": ("applyChanges", b'{"changes":{"models":[],"decks":[[],[]],"tags":[' +
                                      b"," * 1_000_000 + b"]}}"),
        "a long number": ("start", b'{"minUsn":' + b"1" * 10_000_000 + b',"lnewer":true}'),
        "a million elements": ("applyChunk", b'{"chunk":{"cards":[[' + b"1," * 1_000_000 + b"1]]}}"),
        "many empty rows": ("applyChunk", b'{"chunk":{"notes":[' + b"[]," * 1_000_000 + b"[]]}}"),
    }
    failed = passed = 0
    # Small messages have a bound on their expanded size, too: anyone may send them.
    for method, message in (("hostKey", {"u": "a" * 100_000, "p": ""}), ("meta", {"v": 11, "cv": "a" * 100_000}),
                            ("sanityCheck2", {"client": [], "pad": "a" * 100_000})):
        bombs[f"a long {method}"] = (method, json.dumps(message).encode())

    def expect(what, holds, seen):
        nonlocal failed, passed
        passed, failed = passed + holds, failed + (not holds)
        print(f"{'ok     ' if holds else 'FAILED '} {what}: {seen}")

    for what, (method, body) in bombs.items():
        status, _ = post(method, header, small(body))
        expect(what, status in (400, 413), status)
    # A million keys in stored JSON are allowed; a server error is not.
    status, _ = post("applyChanges", header, small(million_keys))
    expect("a million keys", status in (200, 400, 413), status)
    status, _ = post("upload", header, small(b"\0" * 300_000_000))
    expect("an upload of zeros", status == 200, status)
    expect("memory", largest_process() < MOST_MIB, f"{largest_process()} MiB at most")
    for what, messages in slow_for_the_careless().items():
        assert post("start", header, small(b'{"minUsn":0,"lnewer":true}'))[0] == 200
        begin = time.monotonic()
        statuses = [post(method, header, small(json.dumps(message).encode()))[0] for method, message in messages]
        took = time.monotonic() - begin
        expect(what, set(statuses) == {200} and took < MOST_SECONDS, f"{statuses} in {took:.1f} s")
    status, _ = post("abort", header, small(b"{}"))
    expect("the server still answers", status == 200, status)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
