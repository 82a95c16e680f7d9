"""Kills PostgreSQL in the middle of a sync: one backend, the whole server, and the server for a while.

Clients get 503 with Retry-After; none of our processes is restarted; the next sync is a normal one and nothing is lost.
"""

import concurrent.futures
import http.client
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Device, Refused, Wire, compress
from database import Hold, Session, kill
from promises import keep, until
from stack import Stack
from syncing import sync_in_the_end

PASSWORD = "a good password"
# The request before which the kill happens, and the lock at which it waits.
POINTS = [
    ("start", "LOCK TABLE anki_sessions IN SHARE MODE"),
    ("applyChanges", "SELECT 1 FROM anki_sessions FOR UPDATE"),
    ("applyChunk", "LOCK TABLE anki_staged_notes IN SHARE MODE"),
    ("finish", "LOCK TABLE anki_cards IN SHARE MODE"),
    ("finish", "LOCK TABLE anki_staged_notes IN SHARE MODE"),
]

stack: Stack
calls = concurrent.futures.ThreadPoolExecutor(4)


def devices_of(name):
    stack.add_user(name, PASSWORD)
    a = Device(Wire(stack.http).log_in(name, PASSWORD))
    a.sync()
    for n in range(20):
        a.add_note(f"old {n}", reviews=1)
    a.sync()
    b = Device(Wire(stack.http, a.wire.key))
    b.sync()
    return a, b


def change(device, first):
    device.add_note(f"new of {first}", reviews=2)
    notes = sorted(device.rows["notes"])
    device.edit_note(notes[0 if first == "a" else 1], f"edited by {first}")
    device.remove_note(notes[2 if first == "a" else 3])


def ours():
    return {service: stack.pids(service) for service in ("api", "edge", "transfer", "large", "worker", "nginx")}


def go_to(device, method):
    """Runs a sync until this request is the next one."""
    requests = device.requests()
    for name in requests:
        if name == method:
            return requests
    raise AssertionError(method)


def rest(requests):
    """Finishes the sync; returns the status that ended it, or 200."""
    try:
        for _ in requests:
            pass
        return 200
    except Refused as refused:
        return refused.status


def settled(a, b):
    sync_in_the_end(a, 60)
    b.sync()
    a.sync()
    third = Device(Wire(stack.http, a.wire.key))
    third.sync()
    assert a.content() == b.content() == third.content()


def lose_postgres_at(points, name, lose):
    a, b = devices_of(name)
    statuses = []
    before = ours()
    for method, lock in points:
        change(b, "b")
        b.sync()
        change(a, "a")
        mine = a.pending()
        requests = go_to(a, method)
        hold = Hold(stack.env["DATABASE_URL"], lock)
        call = calls.submit(rest, requests)
        lose(hold.wait(1)[0])
        hold.abandon()
        # A request whose first statement was lost is retried on a new connection; a commit never is.
        statuses.append(call.result())
        assert statuses[-1] in (409, 500, 503), statuses
        settled(a, b)
        assert mine.items() <= a.content().items()
    assert ours() == before, "one of our processes was restarted"
    return f"answers: {statuses}"


def a_killed_backend_fails_only_one_sync():
    return lose_postgres_at(POINTS, "backend", lambda blocked: kill(blocked.backend))


def a_killed_postgres_fails_only_one_sync():
    def lose(_):
        pid = stack.kill("postgres")
        stack.wait_for_another("postgres", pid)
    return lose_postgres_at(POINTS[1::2], "postmaster", lose)


def connections_closed_between_requests_fail_no_sync():
    a, b = devices_of("terminated")
    change(a, "a")
    for _ in a.requests():
        with Session(stack.env["DATABASE_URL"]) as session:
            session.ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE application_name LIKE 'syncline-fcgi%'")
    settled(a, b)


def is_running(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def without_postgres_clients_get_503_and_retry_after():
    a, b = devices_of("away")
    change(a, "a")
    requests = go_to(a, "applyChunk")
    before = ours()
    supervisor = int((stack.dir / "pids" / "supervise").read_text().split()[0])
    with Session(stack.env["DATABASE_URL"]) as session:
        backends = [int(pid) for pid, in session.ask("SELECT pid FROM pg_stat_activity")]
    os.kill(supervisor, signal.SIGSTOP)  # otherwise PostgreSQL would be restarted at once
    try:
        stack.kill("postgres")
        until(lambda: not any(is_running(pid) for pid in backends))
        for method in ("meta", "start", "finish", "upload", "download", "hostKey"):
            connection = http.client.HTTPConnection(a.wire.address, timeout=30)
            message = b'{"u":"away","p":"a good password"}' if method == "hostKey" else b'{"v":11,"cv":"x","minUsn":0,"lnewer":false}'
            connection.request("POST", f"/sync/{method}", compress(message), a.wire.headers())
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5"), (method, answer.status)
            connection.close()
        assert rest(requests) == 503
    finally:
        os.kill(supervisor, signal.SIGCONT)
    settled(a, b)
    assert ours() == before, "one of our processes was restarted"


def main():
    global stack
    with Stack() as stack:
        return keep(a_killed_backend_fails_only_one_sync,
                    a_killed_postgres_fails_only_one_sync,
                    connections_closed_between_requests_fail_no_sync,
                    without_postgres_clients_get_503_and_retry_after)


if __name__ == "__main__":
    sys.exit(main())
