#!/usr/bin/env python3
"""Runs the protocol cases, tests/cases/<service>/*.case, against a running server: conversations as text.

    # the second device must log in too           a comment
    user                                          creates an account: $USER, $PASSWORD, $BASIC (an app password
                                                  for the header Authorization); and $NUMBER, of nine digits, for an id of its own
    zstd                                          from here on bodies are zstd frames, sent chunked, as Anki does
    > POST /sync/hostKey                          a request: method and path,
    > anki-sync: {"v":11,"k":"$KEY"}              headers,
    > {"u":"$USER","p":"$PASSWORD"}               and the body, of one or more lines
    < 200                                         the expected answer: the status,
    < anki-original-size: ***                     required headers (*** matches anything),
    < !Set-Cookie                                 forbidden headers,
    < {"key":"***"}                               and the body: JSON or text
    < 403 within 1 s                              repeats the request until it gets this status, for at most 1 s
    = KEY key                                     stores a value of the JSON answer, by its path, as $KEY
    admin device list $USER                       runs syncline-admin

In JSON, "***" matches any value, and a key "***" allows additional keys. Binary bodies: `> hex 28b52ffd` and
`> zeros 1000000`; a hex body is sent unchanged, also after `zstd`.

SYNCLINE_HTTP and SYNCLINE_ADMIN locate the server (`<dir>/env` of ./run). `cases_test.py PATH...` runs single files;
a failure shows the line of the case and the actual answer.
"""

import http.client
import json
import os
import pathlib
import re
import secrets
import subprocess
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from rest_wire import script_login  # noqa: E402

try:
    import zstandard
except ImportError:
    zstandard = None

ROOT = pathlib.Path(__file__).resolve().parent
ANY = "***"
HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]*): (.*)$")
WITHIN = re.compile(r"^([0-9]+) within ([0-9]+) s$")


class Mismatch(Exception):
    pass


def fits(wanted, found, where="$"):
    """Raises Mismatch with the place where a JSON answer does not match its template."""
    if wanted == ANY:
        return
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            if key == ANY:
                continue
            if key not in found:
                raise Mismatch(f"{where}.{key} is missing")
            fits(value, found[key], f"{where}.{key}")
        extra = set(found) - set(wanted)
        if extra and ANY not in wanted:
            raise Mismatch(f"{where} also has {sorted(extra)}")
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            raise Mismatch(f"{where} has {len(found)} elements, not {len(wanted)}")
        for index, (one, other) in enumerate(zip(wanted, found)):
            fits(one, other, f"{where}[{index}]")
    elif wanted != found or isinstance(wanted, bool) != isinstance(found, bool):
        raise Mismatch(f"{where} is {json.dumps(found)}, not {json.dumps(wanted)}")


def text_fits(wanted, found):
    pattern = ".*".join(re.escape(part) for part in wanted.split(ANY))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def at_path(value, path):
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


class Case:
    def __init__(self, path):
        self.path = path
        self.values = {}
        self.zstd = False
        self.request = None   # lines of the request being read
        self.asked = None     # the last request, for repeating it
        self.answer = None    # (status, headers, body) of the last request
        self.expected = None  # body lines of the expected answer

    def fill(self, text):
        return re.sub(r"\$([A-Z][A-Z0-9_]*)", lambda match: self.values.get(match[1], match[0]), text)

    def run(self):
        number = 0
        try:
            lines = self.path.read_text().splitlines()
            for number, line in enumerate(lines, 1):
                self.step(line)
            number = len(lines)
            self.end_answer()
        except (Mismatch, KeyError, IndexError, ValueError, OSError, http.client.HTTPException) as error:
            raise Mismatch(f"{self.path}:{number}: {error}{self.shown()}") from error

    def shown(self):
        if self.answer is None:
            return ""
        status, headers, body = self.answer
        return f"\n    last answer: {status} {dict(headers)}\n    {body[:2000]!r}"

    def step(self, line):
        if line.startswith(">"):
            if self.request is None:
                self.end_answer()
                self.request = []
            self.request.append(line[2:])
            return
        if line.startswith("<"):
            if self.request is not None:
                self.send()
            self.expect(self.fill(line[2:]))
            return
        if not line.strip() or line.startswith("#"):
            return
        self.end_answer()
        word, _, rest = line.strip().partition(" ")
        if word == "=":
            name, path = rest.split()
            self.values[name] = str(at_path(json.loads(self.answer[2]), path))
        elif word == "user":
            self.add_user()
        elif word == "zstd":
            if zstandard is None:
                raise Mismatch("the Python package zstandard is missing")
            self.zstd = True
        elif word == "admin":
            self.admin(*self.fill(rest).split())
        else:
            raise Mismatch(f"unknown directive: {word}")

    def admin(self, *arguments, stdin=""):
        done = subprocess.run([os.environ["SYNCLINE_ADMIN"], *arguments], input=stdin, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise Mismatch(f"syncline-admin {' '.join(arguments)}: {done.stdout}")

    def add_user(self):
        self.values["USER"] = f"case-{secrets.token_hex(6)}"
        self.values["PASSWORD"] = secrets.token_hex(8)
        self.values["NUMBER"] = str(100_000_000 + secrets.randbelow(900_000_000))
        self.admin("user", "add", self.values["USER"], "--password-file", "-", stdin=self.values["PASSWORD"] + "\n")
        if "$BASIC" in self.path.read_text():
            self.values["BASIC"] = script_login(self.values["USER"], self.values["PASSWORD"]).removeprefix("Basic ")

    def body(self, lines):
        text = self.fill("\n".join(lines))
        if text.startswith("hex "):
            return bytes.fromhex(text[4:])
        body = bytes(int(text[6:])) if text.startswith("zeros ") else text.encode()
        return zstandard.compress(body) if self.zstd else body

    def send(self):
        lines, self.request = self.request, None
        method, path = lines.pop(0).split(" ", 1)
        headers = {}
        while lines and (match := HEADER.match(lines[0])):
            headers[match[1]] = self.fill(match[2])
            lines.pop(0)
        if lines and not lines[0]:
            lines.pop(0)
        body = self.body(lines) if lines or (self.zstd and method != "GET") else None
        self.asked = method, self.fill(path), headers, body
        self.ask()

    def ask(self):
        method, path, headers, body = self.asked
        base = urllib.parse.urlsplit(os.environ["SYNCLINE_HTTP"])
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=60)
        try:
            chunked = self.zstd and body is not None
            connection.request(method, path, iter([body]) if chunked else body, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            content = answer.read()
            if self.zstd and answer.status == 200 and answer.getheader("anki-original-size"):
                content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
                if len(content) != int(answer.getheader("anki-original-size")):
                    raise Mismatch("anki-original-size is not the size of the answer")
            self.answer = (answer.status, answer.headers, content)
        finally:
            connection.close()
        self.expected = None

    def expect(self, text):
        _, headers, _ = self.answer
        if self.expected is None:
            if match := WITHIN.match(text):
                text, end = match[1], time.monotonic() + int(match[2])
                while str(self.answer[0]) != text and time.monotonic() < end:
                    self.ask()
            if str(self.answer[0]) != text:
                raise Mismatch(f"status {self.answer[0]}, not {text}")
            self.expected = []
        elif not self.expected and text.startswith("!"):
            if headers.get(text[1:]) is not None:
                raise Mismatch(f"unexpected header {text[1:]}: {headers[text[1:]]}")
        elif not self.expected and (match := HEADER.match(text)):
            found = headers.get(match[1])
            if found is None or not text_fits(match[2], found):
                raise Mismatch(f"{match[1]} is {found}, not {match[2]}")
        else:
            self.expected.append(text)

    def end_answer(self):
        """Compares the expected body, which is complete when the next step begins."""
        if self.request is not None:
            raise Mismatch("a request without an expected answer")
        expected, self.expected = self.expected, None
        if not expected:
            return
        text, found = "\n".join(expected), self.answer[2]
        try:
            wanted = json.loads(text)
        except ValueError:
            if not text_fits(text, found.decode(errors="replace").rstrip("\n")):
                raise Mismatch("the body is different") from None
            return
        fits(wanted, json.loads(found))


def main():
    paths = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(ROOT.glob("*/*.case"))
    passed = failed = skipped = 0
    for path in paths:
        if zstandard is None and re.search(r"^zstd$", path.read_text(), re.MULTILINE):
            skipped += 1
            print(f"skipped {path}: {os.environ.get('SYNCLINE_VENV_PROBLEM') or 'no Python package zstandard'}")
            continue
        try:
            Case(path).run()
            passed += 1
        except Mismatch as mismatch:
            failed += 1
            print(f"FAILED  {mismatch}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
