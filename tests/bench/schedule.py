#!/usr/bin/env python3
"""Reads of the timetable and of its calendars at 32 clients; prints one table. See README.md.

    SYNCLINE_SCHEDULE_FEED_FETCHES=1000000 ./run --detach --dir DIR
    tests/bench/schedule.py --dir DIR [--rows NAME,...] [--seconds S] [--groups N]

Brings N groups of 40 lessons each over import_group, and makes an account and a calendar for each of 32 clients. The load generator is
wrk (package wrk), 32 connections from 2 threads. The numbers beside are those of the original (Django, 4 workers) with 328 lessons in
all, on two cores of another day: an order of magnitude, not a comparison. Left out on purpose: an installation with data of its own.
"""

import argparse
import datetime
import http.client
import json
import pathlib
import re
import secrets
import shlex
import statistics
import subprocess
import sys
import tempfile
import urllib.parse

ROUNDS, CLIENTS = 3, 32
MONDAY = datetime.date.today() + datetime.timedelta(days=7 - datetime.date.today().weekday())

# Each request is the next of a list: a path and its headers.
SCRIPT = """
local requests, next = {%s}, 0
request = function()
  next = next %% #requests + 1
  return wrk.format(nil, requests[next][1], requests[next][2])
end
"""


class Installation:
    def __init__(self, directory):
        self.env = dict(word.split("=", 1) for word in shlex.split((directory / "env").read_text()))
        self.http = self.env["SYNCLINE_HTTP"]

    def ask(self, method, path, body=None, token=None, headers=None):
        address = urllib.parse.urlsplit(self.http)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
        all_headers = {**(headers or {}), **({"authorization": f"Bearer {token}"} if token else {})}
        connection.request(method, path, json.dumps(body) if body is not None else None, all_headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def json(self, *args, **more):
        status, _, body = self.ask(*args, **more)
        if status not in (200, 201):
            sys.exit(f"{args[:2]}: {status} {body[:500]}")
        return json.loads(body)

    def new_account(self, is_admin=False):
        name, password = f"{secrets.token_hex(6)}@example.com", secrets.token_hex(8)
        subprocess.run([self.env["SYNCLINE_ADMIN"], "user", "add", name, "--password-file", "-", *(["--admin"] if is_admin else [])],
                       input=password + "\n", text=True, check=True, stdout=subprocess.DEVNULL)
        return self.json("POST", "/api/auth/login/", {"email": name, "password": password})["access"]

    def fill(self, groups):
        admin = self.new_account(is_admin=True)
        lessons = [{"subject_name": f"Предмет {offset % 7}{number}", "teacher_name": f"Преподаватель {number}", "teacher_id": 50_000 + number,
                    "lesson_type": "лек", "room": f"4/{200 + number}", "weekday": offset % 7 + 1, "lesson_number": number,
                    "start_time": f"{8 + number:02}:00:00", "end_time": f"{9 + number:02}:00:00",
                    "specific_date": (MONDAY + datetime.timedelta(days=offset)).isoformat(), "week_number": 6, "additional_info": ""}
                   for offset in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11) for number in (1, 2, 3, 4)]
        self.groups = [self.json("POST", "/api/schedule/updates/import_group/", {
            "institute": {"name": f"Институт {number % 4}", "sstu_id": 60_000 + number % 4},
            "group": {"name": f"б-МЕРА{number}-11", "sstu_id": 60_000 + number, "education_form": "full_time"}, "lessons": lessons},
            token=admin)["group_id"] for number in range(groups)]
        self.tokens = [self.new_account() for _ in range(CLIENTS)]
        self.feeds = [self.json("POST", "/api/schedule/feeds/", {"kind": "group", "target": group}, token=token)["path"]
                      for token, group in zip(self.tokens, self.groups * CLIENTS)]
        teacher = self.json("GET", "/api/schedule/teachers/?search=" + urllib.parse.quote("Преподаватель 1"), token=self.tokens[0])[0]["id"]
        self.teacher_feeds = [self.json("POST", "/api/schedule/feeds/", {"kind": "teacher", "target": teacher}, token=token)["path"]
                              for token in self.tokens]


def load(base, requests, seconds, status):
    """Requests per second and the median latency in milliseconds; every answer must have this status."""
    rows = ", ".join('{"%s", {%s}}' % (path, ", ".join(f'["{name}"] = [==[{value}]==]' for name, value in headers.items()))
                     for path, headers in requests)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % rows)
        script.flush()
        done = subprocess.run(["wrk", "-t2", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", "--timeout", "60s", "-s", script.name, base],
                              stdout=subprocess.PIPE, text=True, check=True)
    if "Socket errors" in done.stdout or ("Non-2xx" in done.stdout and status < 300):
        sys.exit(done.stdout)
    number, unit = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]), float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=pathlib.Path, required=True)
    parser.add_argument("--rows", default="")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--groups", type=int, default=100)
    options = parser.parse_args()
    server = Installation(options.dir)
    server.fill(options.groups)

    def known(path, token=None):
        status, headers, _ = server.ask("GET", path, token=token)
        assert status == 200, (path, status)
        return {"If-None-Match": headers["ETag"], **({"Authorization": f"Bearer {token}"} if token else {})}
    def as_clients(path):
        return [(path.format(group=group), {"Authorization": f"Bearer {token}"})
                for token, group in zip(server.tokens, server.groups * CLIENTS)]
    lessons = "/api/schedule/lessons/?group={group}"
    # Name, requests, status, and what the original reached.
    rows = [
        ("calendar of a group, known", [(path, known(path)) for path in server.feeds], 304, None),
        ("calendar of a group", [(path, {}) for path in server.feeds], 200, None),
        ("calendar of a teacher, known", [(path, known(path)) for path in server.teacher_feeds], 304, None),
        ("lessons of a group, known", [(lessons.format(group=group), known(lessons.format(group=group), token))
                                       for token, group in zip(server.tokens, server.groups * CLIENTS)], 304, None),
        ("lessons of a group", as_clients(lessons), 200, 110),
        ("week of a group", as_clients("/api/schedule/lessons/weekly/?group={group}"), 200, 52),
        ("groups", as_clients("/api/schedule/groups/"), 200, 167),
        ("search in one box", as_clients("/api/schedule/search/?q=" + urllib.parse.quote("мера11")), 200, None),
        ("all lessons", as_clients("/api/schedule/lessons/"), 200, 31),
    ]
    print(f"{len(server.groups)} groups, 40 lessons each, {CLIENTS} clients\n")
    print(f"{'':32}{'per second':>12}{'median ms':>12}{'original':>12}")
    for name, requests, status, original in rows:
        if options.rows and not any(word in name for word in options.rows.split(",")):
            continue
        path, headers = requests[0]
        found = server.ask("GET", path, headers=headers)[0]
        assert found == status, (name, found)
        rounds = [load(server.http, requests, options.seconds, status) for _ in range(ROUNDS)]
        print(f"{name:32}{statistics.median(one[0] for one in rounds):12.0f}{statistics.median(one[1] for one in rounds):12.1f}"
              f"{original or '':>12}", flush=True)


if __name__ == "__main__":
    main()
