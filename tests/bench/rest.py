#!/usr/bin/env python3
"""Compares reads over REST with a service on FastAPI that has the same tables, and with a FastCGI program that only checks
the login and says hello; prints one table. See README.md.

    ./run --detach --dir DIR
    python3 -m venv build/venv-bench && build/venv-bench/bin/pip install -r tests/bench/requirements.txt
    ninja -C build bench-hello
    tests/bench/rest.py --dir DIR [--python build/venv-bench/bin/python] [--rows NAME,...] [--seconds S]

Fills the installation's catalogue with 100,000 titles and the lists of 32 accounts with 1,000 entries each. The load generator
is wrk (package wrk): 32 connections from 2 threads, whose requests take the accounts in turns, because the server lets one
account use only some of its slots. Everything runs on this machine, in turns; the table has the medians of
three rounds. Left out on purpose: an installation with data of its own, which this would spoil.
"""

import argparse
import atexit
import http.client
import json
import os
import pathlib
import re
import secrets
import shlex
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TITLES, ENTRIES, ACCOUNTS, ROUNDS = 100_000, 1_000, 32, 3
WORKERS = 2
START_LIMIT = 60

# No empty columns, and texts as long as real ones.
FILL = f"""
INSERT INTO anime_genres (mal_id, name, kind) SELECT 7000 + n, 'Genre ' || n, 'genre' FROM generate_series(1, 40) n ON CONFLICT DO NOTHING;
INSERT INTO anime_titles (mal_id, title, title_english, title_japanese, search_text, synopsis, score, episodes, status, season, year,
                          image_url, type, scored_by, source, stale_at)
SELECT 1000000 + n, 'Title number ' || n, 'English title ' || n, 'Japanese title ' || n, 'title number ' || n, repeat('A synopsis. ', 40),
       round((random() * 6 + 3)::numeric, 2), 12, 'finished', 'spring', 1990 + n % 35, 'https://cdn.example/' || n || '.jpg', 'TV', n,
       'jikan', 'infinity'
FROM generate_series(1, {TITLES}) n ON CONFLICT DO NOTHING;
INSERT INTO anime_title_genres (anime_id, genre_id)
SELECT t.anime_id, g.genre_id FROM anime_titles t
CROSS JOIN LATERAL (SELECT DISTINCT 7001 + (t.anime_id * 7 + k * k * 11) % 40 AS mal_id FROM generate_series(1, 4) k) k
JOIN anime_genres g ON g.mal_id = k.mal_id WHERE t.mal_id > 1000000 ON CONFLICT DO NOTHING;
"""
FILL_LIST = """
INSERT INTO anime_entries (user_id, anime_id, status, score, progress)
SELECT u.user_id, t.anime_id, (ARRAY['completed', 'watching', 'dropped', 'on_hold', 'plan_to_watch'])[1 + t.anime_id % 5], 3 + t.anime_id % 7, 12
FROM unnest(ARRAY[{users}]) AS u (user_id)
CROSS JOIN LATERAL (SELECT o.anime_id FROM anime_titles o WHERE o.mal_id > 1000000 ORDER BY hashint8(o.anime_id + u.user_id) LIMIT {entries}) t;
ANALYZE anime_titles, anime_genres, anime_title_genres, anime_entries;
"""


# Which account a request is from.
SCRIPT = """
local tokens, next = {%s}, 0
request = function()
  next = next %% #tokens + 1
  return wrk.format(nil, nil, {Authorization = "Bearer " .. tokens[next]})
end
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request(base, method, path, body=None, token=None, ca=None):
    address = urllib.parse.urlsplit(base)
    connection = (http.client.HTTPSConnection(address.hostname, address.port, context=ssl.create_default_context(cafile=ca), timeout=60)
                  if address.scheme == "https" else http.client.HTTPConnection(address.hostname, address.port, timeout=60))
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


class Load:
    """One run of wrk: requests per second and the median latency in milliseconds. Every answer must be a 2xx."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, base, path, tokens, connections=32):
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(SCRIPT % ", ".join(f"'{token}'" for token in tokens))
            script.flush()
            done = subprocess.run(["wrk", "-t2", f"-c{connections}", f"-d{self.seconds}s", "--latency", "--timeout", "30s", "-s", script.name, base + path],
                                  stdout=subprocess.PIPE, text=True, check=True)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            sys.exit(f"{base}{path}: {done.stdout}")
        number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
        return {"per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]),
                "p50": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


class Installation:
    def __init__(self, directory):
        self.dir = directory
        self.env = dict(word.split("=", 1) for word in shlex.split((directory / "env").read_text()))
        # The settings of its programs.
        self.settings = dict(re.findall(r"^export (SYNCLINE_\w+)='(.*)'$", (directory / "admin").read_text(), re.M))
        self.http, self.https, self.ca = (self.env[f"SYNCLINE_{name}"] for name in ("HTTP", "HTTPS", "CA"))

    def sql(self, text):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.env["DATABASE_URL"]], input=text, stdout=subprocess.PIPE,
                              text=True, check=True)
        return done.stdout.strip()

    def fill(self):
        self.tokens, self.users = [], []
        for _ in range(ACCOUNTS):
            body = {"email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_hex(8)}
            status, answer = request(self.http, "POST", "/auth/register", body)
            if status != 201:
                sys.exit(f"registering answers {status}: {answer}")
            self.tokens.append(json.loads(answer)["access_token"])
            self.users.append(json.loads(request(self.http, "GET", "/users/me", token=self.tokens[-1])[1])["id"])
        say(f"filling the catalogue with {TITLES} titles")
        self.sql(FILL)
        self.sql(FILL_LIST.format(users=", ".join(map(str, self.users)), entries=ENTRIES))
        self.one = self.sql("SELECT anime_id FROM anime_titles WHERE mal_id = 1050000")
        # In every list.
        self.sql(f"INSERT INTO anime_entries (user_id, anime_id, status) SELECT u, {self.one}, 'watching' "
                 f"FROM unnest(ARRAY[{', '.join(map(str, self.users))}]) u ON CONFLICT DO NOTHING")


class Reference:
    """The service on FastAPI, with two processes as our pool `api` has."""

    def __init__(self, ours, python):
        self.port, self.secret = free_port(), secrets.token_hex(32)
        self.base = f"http://127.0.0.1:{self.port}"
        sockets = urllib.parse.parse_qs(urllib.parse.urlsplit(ours.env["DATABASE_URL"]).query)["host"][0]
        environment = {"DATABASE_URL": f"postgresql+asyncpg://syncline@/syncline?host={sockets}", "JWT_SECRET": self.secret,
                       "REDIS_URL": ours.env["REDIS_URL"]}
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([python, "-m", "uvicorn", "rest_reference:app", "--workers", str(WORKERS), "--port", str(self.port),
                                         "--no-access-log"], env=os.environ | environment, cwd=HERE, stdout=self.log, stderr=self.log)
        sign = "import jwt, json, sys\nfor claims in json.loads(sys.argv[1]): print(jwt.encode(claims, sys.argv[2], algorithm='HS256'))"
        claims = [{"sub": str(user), "jti": str(uuid.uuid4()), "type": "access", "exp": int(time.time()) + 900} for user in ours.users]
        self.tokens = subprocess.run([python, "-c", sign, json.dumps(claims), self.secret], stdout=subprocess.PIPE, text=True,
                                     check=True).stdout.split()
        wait_for(lambda: request(self.base, "GET", "/users/me/list?limit=1", token=self.tokens[0])[0] == 200, self)

    def why(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def close(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


class Hello:
    """The nginx of ours with its limits and logs, but with two processes of bench-hello behind it."""

    def __init__(self, ours, build, slots=8):
        self.dir = tempfile.TemporaryDirectory(dir="/tmp")
        folder, port = pathlib.Path(self.dir.name), free_port()
        os.chmod(folder, 0o755)
        self.base = f"https://localhost:{port}"
        self.processes, servers = [], ""
        for number in range(WORKERS):
            path = folder / f"hello{number}.sock"
            self.processes.append(subprocess.Popen([build / "bench-hello", path, str(slots)], env=os.environ | ours.settings,
                                                   stdout=subprocess.DEVNULL))
            servers += f"server unix:{path} max_fails=0; "
        (folder / "nginx.conf").write_text(self.configuration(ours, folder, port, servers))
        self.processes.append(subprocess.Popen(["nginx", "-c", folder / "nginx.conf", "-e", folder / "error.log"]))
        self.tokens = ours.tokens
        wait_for(lambda: request(self.base, "GET", "/users/me", token=self.tokens[0], ca=ours.ca)[0] == 200, self)

    @staticmethod
    def configuration(ours, folder, port, servers):
        """That of ours, with all pools replaced, and with files and ports of its own."""
        text = re.sub(r"server unix:\S+/sockets/\w+\.sock max_fails=0;", servers, (ours.dir / "etc/nginx.conf").read_text())
        text = re.sub(rf"{ours.dir}/(?:nginx|log|sockets)\b", str(folder), text)
        for base, own in ((ours.http, free_port()), (ours.https, port)):
            text = text.replace(f"127.0.0.1:{urllib.parse.urlsplit(base).port}", f"127.0.0.1:{own}")
        return text

    def why(self):
        return (pathlib.Path(self.dir.name) / "error.log").read_text()[-2000:]

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.dir.cleanup()


def wait_for(question, server):
    end = time.monotonic() + START_LIMIT
    while True:
        try:
            if question():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit(f"does not start: {server.why()}")
        time.sleep(0.2)


def in_turns(load, ours, other):
    """Medians of both for (base, path, token) each."""
    results = ([], [])
    for target in (ours, other):
        Load(1)(*target)  # connections, plans and caches
    for _ in range(ROUNDS):
        for result, target in zip(results, (ours, other)):
            result.append(load(*target))
    return [{key: statistics.median(one[key] for one in result) for key in result[0]} for result in results]


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--dir", type=pathlib.Path, required=True, help="folder of a running installation")
    options.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    options.add_argument("--python", default=str(ROOT / "build/venv-bench/bin/python"), help="with the packages of requirements.txt")
    options.add_argument("--seconds", type=int, default=4, help="of a run of the load generator")
    options.add_argument("--rows", default="list,catalogue,title,recommendations,hello")
    options = options.parse_args()
    rows = options.rows.split(",")
    ours, load = Installation(options.dir), Load(options.seconds)
    ours.fill()
    reads = {"list": ("a page of a list, 25 of 1,000 entries", "/users/me/list?limit=25", 1),
             "catalogue": ("a page of the catalogue, 25 of 100,000 titles", "/anime/?limit=25", 1),
             "title": ("one title", f"/anime/{ours.one}", 1),
             "recommendations": ("recommendations, 100,000 titles, 1,000 entries", "/users/me/recommendations", 1)}
    lines, missed = [], False

    def add(name, got, other, bar):
        nonlocal missed
        ratio = got["per_second"] / other["per_second"]
        missed |= ratio < bar
        lines.append(f"| {name:<48} | {got['per_second']:9.0f} | {other['per_second']:9.0f} | {ratio:6.2f} | {got['p50']:8.1f} | {other['p50']:8.1f} "
                     f"| >= {bar:g} | {'ok' if ratio >= bar else 'BELOW'} |")
        say(lines[-1])

    if set(rows) & set(reads):
        reference = Reference(ours, options.python)
        atexit.register(reference.close)
        for row in rows:
            if row in reads:
                name, path, bar = reads[row]
                add(name, *in_turns(load, (ours.http, path, ours.tokens), (reference.base, path, reference.tokens)), bar)
    if "hello" in rows:
        hello = Hello(ours, options.build)
        atexit.register(hello.close)
        path = f"/users/me/list/{ours.one}"
        add("one entry over TLS, against hello", *in_turns(load, (ours.https, path, ours.tokens), (hello.base, path, hello.tokens)), 0.5)
    print("\n| read | ours/s | other/s | ratio | ours p50 ms | other p50 ms | bar | |\n|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
