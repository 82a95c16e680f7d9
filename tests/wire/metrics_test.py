#!/usr/bin/env python3
"""The metrics for Prometheus, parsed as strictly as Prometheus does: of the processes of the running installation (see
<dir>/env), and of some that are started and killed here.

Runs alone: the numbers that it compares are common to all.
"""

import collections
import http.client
import os
import pathlib
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from database import Session  # noqa: E402
from fastcgi import ask, request  # noqa: E402
from installation import secret_file  # noqa: E402
from promises import keep, until  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))
AWAY = "postgresql:///none?host=/nonexistent"
LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)(?:{{({LABEL}(?:,{LABEL})*)}})? (-?\d+(?:\.\d+)?)")


def parse(text):
    """{name: {frozenset of (label, value): number}} of a page in text format 0.0.4; raises AssertionError or
    AttributeError for anything else."""
    assert text.endswith("\n")
    types, samples, current = {}, collections.defaultdict(dict), None
    for line in text.splitlines():
        if line.startswith("#"):
            kind, name, rest = re.fullmatch(r"# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)", line).groups()
            if kind == "HELP":
                assert name not in types, f"{name} comes twice"
                current = name
            else:
                assert name == current and rest in ("counter", "gauge", "histogram"), line
                types[name] = rest
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        family = re.sub("_(bucket|sum|count)$", "", name) if types.get(current) == "histogram" else name
        assert family == current, f"{name} is listed under {current}"
        key = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or ""))
        assert key not in samples[name], f"{line} comes twice"
        samples[name][key] = float(value)
    for name, kind in types.items():
        if kind != "histogram":
            assert name in samples, name
            continue
        assert samples[name + "_count"].keys() == samples[name + "_sum"].keys() != set()
        for labels, count in samples[name + "_count"].items():
            buckets = [(float(dict(key)["le"]), number) for key, number in samples[name + "_bucket"].items()
                       if key - {("le", dict(key)["le"])} == labels]
            bounds, numbers = zip(*buckets)
            assert list(bounds) == sorted(set(bounds)) and list(numbers) == sorted(numbers), (name, buckets)
            assert buckets[-1] == (float("inf"), count), (name, buckets)
    return samples


def value(page, name, **labels):
    return page[name].get(frozenset(labels.items()), 0)


def http_get(path, unix=None):
    """Returns (status, content type, body)."""
    connection = http.client.HTTPConnection(os.environ["SYNCLINE_HTTP"].split("//")[1], timeout=20)
    if unix:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(unix)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def scrape():
    status, content_type, text = http_get("/metrics", os.environ["SYNCLINE_METRICS"])
    assert status == 200 and content_type == "text/plain; version=0.0.4; charset=utf-8", (status, content_type)
    return parse(text)


class Process:
    """A syncline-fcgi started by the test."""

    def __init__(self, directory, url=AWAY):
        self.socket = pathlib.Path(directory) / f"{secrets.token_hex(4)}.sock"
        self.log = pathlib.Path(directory) / f"{self.socket.stem}.log"
        self.process = subprocess.Popen(
            [str(BIN / "syncline-fcgi"), "--socket", str(self.socket), "--slots", "3", "--pool", "own"],
            stderr=open(self.log, "wb"),
            env={**os.environ, "SYNCLINE_DATABASE_URL": url, "SYNCLINE_METRICS_DIR": str(directory),
                 "SYNCLINE_SECRET_FILE": secret_file(directory)})
        until(lambda: "event=started" in self.log.read_text())

    def get(self, path):
        return ask(self.socket, request("GET", path))

    def scrape(self):
        answer = self.get("/metrics")
        assert answer.status == 200
        return parse(answer.body.decode())

    def end(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        self.process.wait(20)


def a_request_is_counted_under_its_operation_and_status():
    def numbers():
        page = scrape()
        return [value(page, "syncline_requests_total", op="front.readyz", status="200"),
                value(page, "syncline_request_seconds_count", op="front.readyz"),
                value(page, "syncline_requests_total", op="anki.meta", status="400"),
                value(page, "syncline_requests_total", op="-", status="404"),
                value(page, "syncline_statements_total", op="front.readyz"),
                value(page, "syncline_answer_bytes_total", op="front.readyz")]

    before = numbers()
    for _ in range(7):
        assert http_get("/readyz")[0] == 200
    assert http_get("/sync/no-such-method")[0] == 404
    base = os.environ["SYNCLINE_HTTP"].split("//")[1]
    connection = http.client.HTTPConnection(base, timeout=20)
    connection.request("POST", "/sync/meta", b"")
    assert connection.getresponse().status == 400
    connection.close()
    # A request is counted after its answer was sent.
    until(lambda: [after - earlier for after, earlier in zip(numbers(), before)] == [7, 7, 1, 1, 7, 7 * len("ready\n")])


def the_page_contains_pools_workers_jobs_blobs_and_the_build():
    page = scrape()
    assert value(page, "syncline_slots", pool="api") == 2 * 8 and value(page, "syncline_slots", pool="large") == 16
    assert value(page, "syncline_slots_busy", pool="api") >= 1  # the one that answers this request
    assert value(page, "syncline_worker_threads") == 4
    assert value(page, "syncline_up", what="database") == 1
    assert value(page, "syncline_blob_stored_bytes") > 0
    assert value(page, "syncline_database_connections_opened_total") >= 1
    (labels, number), = page["syncline_build_info"].items()
    assert number == 1 and re.fullmatch(r"\d+\.\d+\.\d+", dict(labels)["version"])
    with Session(os.environ["DATABASE_URL"]) as database:
        # A kind that no worker knows.
        database.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn)"
                     " SELECT 'test.metrics', '{}', 0, 'queued', now(), 0 FROM generate_series(1, 3)")
        # Usage without blobs.
        user = database.ask("INSERT INTO users (name, password_hash) VALUES ('metrics-test', '') RETURNING user_id")[0][0]
        database.ask(f"INSERT INTO usage (user_id, service, bytes) VALUES ({user}, 'test', 4711)")
        try:
            page = scrape()
        finally:
            database.ask("DELETE FROM jobs WHERE kind = 'test.metrics'; DELETE FROM users WHERE name = 'metrics-test'")
    assert value(page, "syncline_jobs", kind="test.metrics", state="queued") == 3
    assert value(page, "syncline_blob_held_bytes", service="test") == 4711


def a_job_is_counted_under_its_kind():
    # Cron enqueues one within minutes; without its tick it does so now.
    before = value(scrape(), "syncline_job_attempts_total", kind="anki.sweep_sessions", end="done")
    with Session(os.environ["DATABASE_URL"]) as database:
        database.ask("DELETE FROM job_ticks WHERE kind = 'anki.sweep_sessions'")
    until(lambda: value(scrape(), "syncline_job_attempts_total", kind="anki.sweep_sessions", end="done") > before)
    page = scrape()
    assert value(page, "syncline_job_seconds_count", kind="anki.sweep_sessions") > before
    assert value(page, "syncline_statements_total", op="anki.sweep_sessions") > 0


def the_site_does_not_serve_the_page():
    for path in ("/metrics", "/sync/metrics", "/metrics/"):
        assert http_get(path)[0] == 404, path


def sigkill_resets_no_counter():
    with tempfile.TemporaryDirectory() as directory:
        one, two = Process(directory), Process(directory)
        for _ in range(5):
            assert one.get("/healthz").status == two.get("/healthz").status == 200

        def count(page):
            return value(page, "syncline_requests_total", op="front.healthz", status="200")

        until(lambda: count(two.scrape()) == 10)
        assert value(two.scrape(), "syncline_slots", pool="own") == 6
        one.end()
        assert count(two.scrape()) == count(two.scrape()) == 10
        assert value(two.scrape(), "syncline_slots", pool="own") == 3
        # A process that started later reports the same, and the ended ones leave no files behind.
        three = Process(directory)
        two.end(signal.SIGTERM)
        page = three.scrape()
        assert count(page) == 10 and value(page, "syncline_slots", pool="own") == 3
        assert value(page, "syncline_slots_busy", pool="own") == 1
        assert len(list(pathlib.Path(directory).glob("*.process"))) == 1
        three.end()


def without_the_database_the_other_metrics_remain():
    with tempfile.TemporaryDirectory() as directory:
        process = Process(directory)
        assert ask(process.socket, request("GET", "/readyz")).status == 503
        until(lambda: value(process.scrape(), "syncline_requests_total", op="front.readyz", status="503") == 1)
        page = process.scrape()
        assert value(page, "syncline_up", what="database") == 0 and "syncline_jobs" not in page
        assert frozenset([("what", "database")]) in page["syncline_up"]
        assert value(page, "syncline_database_errors_total") == 1
        process.end()


def main():
    return keep(a_request_is_counted_under_its_operation_and_status,
                the_page_contains_pools_workers_jobs_blobs_and_the_build, a_job_is_counted_under_its_kind,
                the_site_does_not_serve_the_page, sigkill_resets_no_counter, without_the_database_the_other_metrics_remain)


if __name__ == "__main__":
    sys.exit(main())
