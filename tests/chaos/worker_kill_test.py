"""Workers killed with SIGKILL in every phase of a job: each job ends within a minute and has its effect exactly once.

Uses clones of the migrated template SYNCLINE_TEST_TEMPLATE on the server SYNCLINE_TEST_DATABASE, one per test, so that
the tests can wait for expiring leases in parallel. The worker is test-worker (test_worker.cpp describes its kinds),
from SYNCLINE_BIN or build/. Ends with "N passed, N failed".
"""

import concurrent.futures
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback
import urllib.parse

BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", pathlib.Path(__file__).resolve().parents[2] / "build"))
SERVER = os.environ.get("SYNCLINE_TEST_DATABASE") or os.environ["DATABASE_URL"]
TEMPLATE = os.environ.get("SYNCLINE_TEST_TEMPLATE", "syncline_template")
RERUN_SECONDS = 60


def ask(url, sql):
    """Runs one or more statements with psql on its standard input; returns their rows."""
    done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", url], input=sql, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return [line.split("\t") for line in done.stdout.splitlines()]


class Place:
    """A separate database and the workers on it."""

    def __init__(self, name):
        self.name = f"chaos_{name}_{os.getpid()}"
        server = urllib.parse.urlsplit(SERVER)  # geturl() would lose the empty host of a socket's URL
        self.url = f"{server.scheme}://{server.netloc}/{self.name}?{server.query}"
        self.workers = []

    def __enter__(self):
        ask(SERVER, f"CREATE DATABASE {self.name} TEMPLATE {TEMPLATE}")
        self.tool("create")
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait()
        ask(SERVER, f"DROP DATABASE {self.name} WITH (FORCE)")

    def start(self, *arguments):
        return subprocess.Popen([BIN / "test-worker", *arguments], env={**os.environ, "DATABASE_URL": self.url})

    def tool(self, *arguments):
        if self.start(*arguments).wait() != 0:
            raise RuntimeError(f"test-worker {arguments} failed")

    def enqueue(self, kind, count):
        self.tool("enqueue", kind, str(count))

    def work(self, threads):
        worker = self.start("work", "--threads", str(threads))
        self.workers.append(worker)
        return worker

    def number(self, sql):
        return int(ask(self.url, sql)[0][0])

    def until(self, sql, seconds):
        """Polls until the answer is t; returns the seconds that took."""
        begin = time.monotonic()
        while ask(self.url, sql) != [["t"]]:
            if time.monotonic() > begin + seconds:
                jobs = ask(self.url, "SELECT kind, state, attempts, count(*) FROM jobs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
                raise AssertionError(f"not within {seconds} s: {sql}\njobs: {jobs}")
            time.sleep(0.1)
        return time.monotonic() - begin


ALL_DONE = "SELECT count(*) = 0 FROM jobs WHERE kind LIKE 'chaos.%' AND state <> 'done'"
EFFECTS = "SELECT kind, count(*), count(DISTINCT job_id) FROM chaos_effects GROUP BY 1 ORDER BY 1"


def kill(worker):
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def a_job_whose_worker_is_killed_in_any_phase_runs_again_within_a_minute_with_one_effect():
    with Place("phases") as place:
        holding = ("before_effect", "in_transaction", "after_effect", "after_end")
        for phase in holding:
            place.enqueue("chaos.hold_" + phase, 2)
        wide = place.work(8)
        place.until("SELECT (SELECT count(*) FROM chaos_starts) = 8"
                    " AND (SELECT count(*) FROM chaos_effects) = 4"  # after_effect and after_end
                    " AND (SELECT count(*) FROM jobs WHERE kind = 'chaos.hold_after_end' AND state = 'done') = 2"
                    " AND (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    "      AND state = 'idle in transaction') = 2", 30)
        # All eight threads are held. On the other worker, one job starts and two are claimed behind it.
        place.enqueue("chaos.hold_ahead", 3)
        narrow = place.work(1)
        place.until("SELECT (SELECT count(*) FROM chaos_starts WHERE kind = 'chaos.hold_ahead') = 1"
                    " AND (SELECT count(*) FROM jobs WHERE kind = 'chaos.hold_ahead' AND state = 'running') = 3", 30)
        kill(wide)
        kill(narrow)
        place.work(8)
        took = place.until(ALL_DONE, RERUN_SECONDS)
        assert ask(place.url, EFFECTS) == sorted(
            [["chaos.hold_" + phase, "2", "2"] for phase in holding] + [["chaos.hold_ahead", "3", "3"]])
        starts = dict(ask(place.url, "SELECT kind, count(*) FROM chaos_starts GROUP BY 1"))
        assert starts == {"chaos.hold_before_effect": "4", "chaos.hold_in_transaction": "4",
                          "chaos.hold_after_effect": "4", "chaos.hold_after_end": "2", "chaos.hold_ahead": "4"}, starts
        return f"all done {took:.0f} s after the kill"


def two_workers_run_each_of_10000_jobs_exactly_once():
    with Place("once") as place:
        place.enqueue("chaos.count", 10_000)
        place.work(8)
        place.work(8)
        place.until(ALL_DONE, 120)
        assert ask(place.url, EFFECTS) == [["chaos.count", "10000", "10000"]]
        assert place.number("SELECT max(attempts) FROM jobs") == 1
        return ""


def effects_committed_with_the_end_of_their_job_happen_once_despite_many_kills():
    with Place("storm") as place:
        place.enqueue("chaos.count_once", 3_000)
        for round_number in range(1, 6):
            workers = [place.work(4), place.work(4)]
            place.until(f"SELECT count(*) >= {round_number * 300} FROM chaos_effects", 60)
            for worker in workers:
                kill(worker)
        lost = place.number("SELECT count(*) FROM jobs WHERE state = 'running'")
        place.work(8)
        took = place.until(ALL_DONE, RERUN_SECONDS)
        assert ask(place.url, EFFECTS) == [["chaos.count_once", "3000", "3000"]]
        return f"{lost} jobs were interrupted; all done {took:.0f} s after the last kill"


def a_worker_told_to_stop_exits_at_once_and_its_jobs_keep_all_attempts():
    with Place("leave") as place:
        place.enqueue("chaos.hold_before_effect", 3)
        worker = place.work(2)
        place.until("SELECT count(*) = 2 FROM chaos_starts", 30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0
        assert ask(place.url, "SELECT state, attempts FROM jobs WHERE state <> 'queued' AND kind LIKE 'chaos.%'") == [
            ["waiting", "0"]] * 2
        assert place.number("SELECT count(*) FROM workers") == 0
        return ""


def run(test):
    name = test.__name__
    try:
        return f"ok      {name}  {test()}", True
    except Exception:  # pylint: disable=broad-except
        return f"FAILED  {name}\n{traceback.format_exc()}", False


def main():
    tests = [a_job_whose_worker_is_killed_in_any_phase_runs_again_within_a_minute_with_one_effect,
             two_workers_run_each_of_10000_jobs_exactly_once,
             effects_committed_with_the_end_of_their_job_happen_once_despite_many_kills,
             a_worker_told_to_stop_exits_at_once_and_its_jobs_keep_all_attempts]
    # One thread per test: their waits for expiring leases overlap.
    with concurrent.futures.ThreadPoolExecutor(len(tests)) as pool:
        results = list(pool.map(run, tests))
    for text, _ in results:
        print(text)
    failed = sum(not ok for _, ok in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
