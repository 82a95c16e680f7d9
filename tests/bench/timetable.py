#!/usr/bin/env python3
"""How long an update of the timetable takes, against the stand-in of the site; prints one table. See README.md.

    tests/bench/timetable.py [--groups 600] [--gap MS] [--pollers N] [--latency MS...]

Makes an installation of its own. A row is a run: of an empty database, of a site where a room has changed in each tenth group, or the
median of three of an unchanged site; and, in turns with these, of three while N people look at its progress every two seconds, as the
page does.
Left out on purpose: the real site's speed, which is in the latency.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 3
sys.path.insert(0, str(ROOT / "tests" / "support"))
from database import Session  # noqa: E402
from stack import Stack  # noqa: E402
from timetable import Timetable, rows_of  # noqa: E402
from timetable_runs import Runs, settings  # noqa: E402


def memory(pid):
    """Peak of the worker, in MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0


def update(runs):
    begin = time.monotonic()
    seen = runs.ended(runs.start(), seconds=3600, states=("success",))
    return time.monotonic() - begin, seen


@contextlib.contextmanager
def pollers(runs, count):
    over = threading.Event()

    def poll():
        tag = "x"
        while not over.wait(2):
            tag = runs.call("GET", "/api/schedule/updates/latest", headers={"if-none-match": tag}).headers["ETag"]
    threads = [threading.Thread(target=poll) for _ in range(count)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--groups", type=int, default=600)
    options.add_argument("--gap", type=int, default=0)
    options.add_argument("--concurrency", type=int, default=4)
    options.add_argument("--pollers", type=int, default=20)
    options.add_argument("--latency", type=int, nargs="+", default=(0, 200), help="of each page of the site, in milliseconds")
    wanted = options.parse_args()
    print(f"| {wanted.groups} groups | latency [ms] | seconds | added | changed | peak of worker [MiB] |\n|---|---|---|---|---|---|")
    for latency in wanted.latency:
        with Timetable(groups=wanted.groups, delay=latency / 1000) as site, Stack(settings(
                site, schedule_min_gap_ms=wanted.gap, schedule_concurrency=wanted.concurrency)) as stack:
            runs = Runs(stack, site)
            def row(name, seconds, seen):
                print(f"| {name} | {latency} | {seconds:.1f} | {seen['lessons_added']} | {seen['lessons_changed']} |"
                      f" {memory(stack.pids('worker')[1]):.0f} |", flush=True)
            row("first", *update(runs))
            alone, watched = [], []
            for _ in range(ROUNDS):
                for times, people in ((alone, 0), (watched, wanted.pollers)):
                    with pollers(runs, people):
                        seconds, seen = update(runs)
                    times.append(seconds)
            row("unchanged", statistics.median(alone), seen)
            row(f"unchanged, {wanted.pollers} look", statistics.median(watched), seen)
            for group in site.world.groups[8::10]:
                site.mutate("room", group["name"])
            row("a tenth changed", *update(runs))
            with Session(stack.env["DATABASE_URL"]) as db:
                assert rows_of(db) == site.truth()


if __name__ == "__main__":
    main()
