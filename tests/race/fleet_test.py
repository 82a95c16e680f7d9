#!/usr/bin/env python3
"""Many processes and many users before one upstream: its budget holds for all of them together, and what a thousand miss at
once is asked for once.

Quick by default: the whole takes two minutes and is asked for with --whole, and --users 1000 asks with as many at once.
Reference: the anime API's scenarios 13 and 20.
"""

import argparse
import asyncio
import collections
import json
import os
import pathlib
import sys
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from database import Session
from jikan import Jikan
from list_wire import ListClient, anime, mal_file
from promises import keep, until
from stack import Stack

PROCESSES, WORKERS = 16, 8
FLEET = {"SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8", "SYNCLINE_ANIME_MISSES_PER_MINUTE": "100000",
         "SYNCLINE_COPIES_REALTIME": str(PROCESSES), "SYNCLINE_COPIES_WORKER": str(WORKERS),
         "SYNCLINE_COPIES_API": "1", "SYNCLINE_COPIES_TRANSFER": "1"}

options = None


def stack_for(jikan, **settings):
    # Each of the slots may open a connection.
    database = os.environ.get("SYNCLINE_TEST_POSTGRES", "") + "\nmax_connections = 700"
    return Stack({**FLEET, "SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_TEST_POSTGRES": database, **settings})


async def get(address, path):
    """(status, headers, body) of one request on a connection of its own."""
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return int(lines[0].split()[1]), headers, body
    finally:
        writer.close()


def all_at_once(stack, paths):
    """Each user repeats what is answered with a 503, as it says; returns the statuses, and how often all were told to wait."""
    address, waits = urllib.parse.urlsplit(stack.http), collections.Counter()

    async def one(path):
        for _ in range(60):
            status, headers, body = await get(address, path)
            if status != 503:
                assert status != 200 or json.loads(body)["title"], body
                return status
            waits[path] += 1
            await asyncio.sleep(int(headers["retry-after"]))
        return 503

    async def everybody():
        return await asyncio.gather(*(one(path) for path in paths))
    return asyncio.run(everybody()), sum(waits.values())


def log_of(stack, pool):
    return "".join(path.read_text(errors="replace") for path in (stack.dir / "log").glob(f"{pool}*.log"))


def many_misses_of_one_title_are_one_request_and_those_of_many_keep_the_budget():
    with Jikan(strict=True) as jikan, stack_for(jikan) as stack:
        return f"{misses_of_one_title(jikan, stack)}; {misses_of_many_titles(jikan, stack)}"


def misses_of_one_title(jikan, stack):
    jikan.rule({"match": {"path": "/v4/anime/90111/"}, "times": 1, "action": {"kind": "slow", "delay_headers": 1}})
    assert len(stack.pids("realtime")) == PROCESSES
    begin = time.monotonic()
    statuses, waits = all_at_once(stack, ["/anime/mal/90111"] * options.users)
    took = time.monotonic() - begin
    assert collections.Counter(statuses) == {200: options.users}, collections.Counter(statuses)
    assert jikan.count("/v4/anime/90111/full") == 1 and len(jikan.log) == 1, jikan.requests()
    with Session(stack.env["DATABASE_URL"]) as db:
        assert db.number("SELECT count(*) FROM anime_titles WHERE mal_id = 90111") == 1
    # What nobody has, too.
    statuses, _ = all_at_once(stack, ["/anime/mal/404404"] * options.users)
    assert set(statuses) == {404} and jikan.count("/v4/anime/404404/full") == 1
    assert not jikan.violations() and jikan.peak(1000) <= 3, jikan.violations()
    return f"{options.users} users, {PROCESSES} processes, {waits} times told to wait, {took:.1f} s"


def misses_of_many_titles(jikan, stack):
    count = 57 if options.whole else 20  # of sixty in a minute
    begin = time.monotonic()
    paths = [f"/anime/mal/{90_001 + n % count}" for n in range(options.users)]
    statuses, waits = all_at_once(stack, paths)
    took = time.monotonic() - begin
    assert not jikan.violations() and jikan.peak(1000) <= 3 and jikan.peak(60_000) <= 60, jikan.violations()
    asked = collections.Counter(entry["uri"] for entry in jikan.log)
    assert set(asked.values()) == {1}, asked
    assert collections.Counter(statuses) == {200: options.users}, collections.Counter(statuses)
    return f"{len(asked)} titles for {options.users} users in {took:.1f} s, {waits} times told to wait"


def s20_the_budget_of_eight_workers_is_one():
    # Background work takes one a second at most; with the defaults, half of the upstream's minute.
    seconds, settings = (70, {}) if options.whole else (
        14, {"SYNCLINE_ANIME_JIKAN_PER_MINUTE": "600", "SYNCLINE_ANIME_JIKAN_JOBS_PER_MINUTE": "600"})
    with Jikan(strict=True, per_minute=60 if options.whole else 600) as jikan, stack_for(jikan, **settings) as stack:
        client = ListClient(stack.http, stack.add_user)
        client.import_list(mal_file(*(anime(90_001 + n) for n in range(200))))
        assert len(stack.pids("worker")) == WORKERS
        until(lambda: len(jikan.log) >= 3, 20)
        jikan.rule({"match": {"path": "/v4/anime/"}, "times": 1, "action": {"kind": "rate_limited", "form": "edge"}})
        time.sleep(seconds)
        entries = list(jikan.log)
        assert not jikan.violations() and jikan.peak(1000) <= 3 and jikan.peak(60_000) <= (60 if options.whole else 600)
        throttled = next(n for n, entry in enumerate(entries) if entry["rule"] == "rate_limited")
        silence = entries[throttled + 1]["at"] - entries[throttled]["at"]
        assert silence >= 5, silence
        # A 429 halves the rate for ten minutes.
        assert len(entries) > (15 if options.whole else 6), len(entries)
        workers = {line.split("req=")[1].split()[0] for line in log_of(stack, "worker").splitlines() if "op=anime.sync_title" in line}
        with Session(stack.env["DATABASE_URL"]) as db:
            names = db.number("SELECT count(*) FROM workers")
            assert db.number("SELECT count(*) FROM jobs WHERE state = 'dead'") == 0
        assert names == WORKERS, names
        return f"{len(entries)} requests of {len(workers)} jobs in {seconds} s, {silence:.1f} s of silence after a 429"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--whole", action="store_true")
    options, sys.argv[1:] = parser.parse_known_args()
    sys.exit(keep(many_misses_of_one_title_are_one_request_and_those_of_many_keep_the_budget, s20_the_budget_of_eight_workers_is_one))
