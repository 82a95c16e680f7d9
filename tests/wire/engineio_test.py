#!/usr/bin/env python3
"""Engine.IO, protocol 4, over long polling, as its conformance suite has it: three processes of wire-server with a layer that
sends every message back, and each request goes to another one. Ping interval 300 ms, timeout 200 ms, bodies up to 1 MB.

The programs come from SYNCLINE_BIN, or from build/. `engineio_test.py NAME...` runs single tests.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import fastcgi  # noqa: E402
from promises import keep, until  # noqa: E402

BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", pathlib.Path(__file__).resolve().parents[2] / "build"))
PROCESSES = 3
BASE = "EIO=4&transport=polling"


class Fleet:
    """Processes of wire-server with one Redis."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="syncline-engine."))
        self.redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(self.dir / "redis.sock"), "--save", ""],
                                      cwd=self.dir, stdout=subprocess.DEVNULL)
        until((self.dir / "redis.sock").exists)
        self.processes = [self.start(n) for n in range(PROCESSES)]
        self.left = list(range(PROCESSES))

    def start(self, number):
        path = self.dir / f"{number}.sock"
        path.unlink(missing_ok=True)
        with open(self.dir / f"{number}.log", "ab") as log:
            process = subprocess.Popen([str(BIN / "wire-server"), str(path), "16", f"unix://{self.dir}/redis.sock"], stderr=log)
        until(lambda: self.answers(path))
        return process

    @staticmethod
    def answers(path):
        try:
            return fastcgi.ask(path, fastcgi.request("GET", "/headers")).status == 200
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def ask(self, method="GET", query=BASE, body=b"", at=None, **params):
        number = random.randrange(PROCESSES) if at is None else at
        return fastcgi.ask(self.dir / f"{number}.sock", fastcgi.request(method, f"/engine.io/?{query}", body, **params), timeout=30)

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(20) for process in self.processes] == [0] * PROCESSES
        self.redis.terminate()
        self.redis.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)


fleet: Fleet
pool = concurrent.futures.ThreadPoolExecutor(8)


def open_session():
    answer = fleet.ask()
    assert answer.status == 200 and answer.body[:1] == b"0", answer.body
    return json.loads(answer.body[1:])["sid"]


def of(sid):
    return f"{BASE}&sid={sid}"


def poll(sid, **where):
    answer = fleet.ask(query=of(sid), **where)
    return answer.status, answer.body.decode()


def post(sid, body, **where):
    answer = fleet.ask("POST", of(sid), body.encode() if isinstance(body, str) else body, **where)
    return answer.status, answer.body.decode()


def refused(answer, status, code):
    assert answer.status == status and json.loads(answer.body)["code"] == code, (answer.status, answer.body)


@contextlib.contextmanager
def waiting(sid, **where):
    """A poll that waits."""
    future = pool.submit(poll, sid, **where)
    time.sleep(0.1)
    yield future


def a_handshake_has_these_five_members():
    answer = fleet.ask()
    assert answer.status == 200 and answer.headers["content-type"].lower() == "text/plain; charset=utf-8", answer.headers
    assert answer.headers["cache-control"] == "no-store"
    handshake = json.loads(answer.body[1:])
    assert set(handshake) == {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}, handshake
    assert (handshake["upgrades"], handshake["pingInterval"], handshake["pingTimeout"], handshake["maxPayload"]) == ([], 300, 200, 1_000_000)
    assert len(handshake["sid"]) >= 20


def a_handshake_of_another_protocol_is_refused():
    for query, code in (("transport=polling", 5), ("EIO=abc&transport=polling", 5), ("EIO=3&transport=polling", 5), ("EIO=4", 0),
                        ("EIO=4&transport=abc", 0), ("EIO=4&transport=websocket", 0), (BASE + "&j=0", 3)):
        refused(fleet.ask(query=query), 400, code)


def a_handshake_by_another_method_is_refused():
    refused(fleet.ask("POST", BASE, b"4x"), 400, 2)
    refused(fleet.ask("PUT", BASE), 400, 2)
    refused(fleet.ask("PUT", of(open_session())), 400, 3)
    assert fleet.ask("DELETE", BASE).status == 405


def a_message_comes_back():
    sid = open_session()
    assert post(sid, "4hello") == (200, "ok")
    assert poll(sid) == (200, "4hello")


def several_messages_come_back_in_order():
    sid = open_session()
    assert post(sid, "4test1\x1e4test2\x1e4test3") == (200, "ok")
    assert poll(sid) == (200, "4test1\x1e4test2\x1e4test3")


def binary_messages_come_back_as_base64():
    sid = open_session()
    assert post(sid, "4hello\x1ebAQIDBA==\x1eb4AAA") == (200, "ok")
    assert poll(sid) == (200, "4hello\x1ebAQIDBA==\x1eb4AAA")


def a_waiting_poll_gets_what_another_process_receives():
    sid = open_session()
    with waiting(sid, at=0) as future:
        begin = time.monotonic()
        assert post(sid, "4x", at=1) == (200, "ok")
        assert future.result() == (200, "4x")
        assert time.monotonic() - begin < 0.1


def a_wrong_format_ends_the_session():
    for body in ("abc", "", "4x\x1e\x1e4y", "7", "2", "0", "bA"):
        sid = open_session()
        with waiting(sid) as future:
            refused(fleet.ask("POST", of(sid), body.encode()), 400, 3)
            status, text = future.result()
            assert status == 400 and json.loads(text)["code"] == 3, (status, text)
        refused(fleet.ask(query=of(sid)), 400, 1)
        refused(fleet.ask("POST", of(sid), b"4x"), 400, 1)


def a_second_poll_ends_the_session():
    sid = open_session()
    with waiting(sid) as future:
        refused(fleet.ask(query=of(sid)), 400, 3)
        assert future.result() == (200, "1")
    refused(fleet.ask(query=of(sid)), 400, 1)
    refused(fleet.ask("POST", of(sid), b"4x"), 400, 1)


def a_second_post_ends_the_session():
    sid = open_session()
    body = fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs({
        "REQUEST_METHOD": "POST", "REQUEST_URI": f"/engine.io/?{of(sid)}", "QUERY_STRING": of(sid), "CONTENT_LENGTH": "5"}))
    with fastcgi.Peer(fleet.dir / "0.sock") as slow:
        slow.send(body + fastcgi.record(fastcgi.STDIN, b"4he"))
        time.sleep(0.1)
        refused(fleet.ask("POST", of(sid), b"4x", at=1), 400, 3)
        refused(fleet.ask(query=of(sid)), 400, 1)


def pings_come_in_time_and_pongs_keep_the_session():
    sid = open_session()
    for _ in range(3):
        begin = time.monotonic()
        assert poll(sid) == (200, "2")
        took = time.monotonic() - begin
        assert 0.2 < took < 0.45, took
        assert post(sid, "3") == (200, "ok")


def a_session_without_a_sign_of_life_ends():
    sid = open_session()
    time.sleep(0.55)
    refused(fleet.ask(query=of(sid)), 400, 1)
    refused(fleet.ask("POST", of(sid), b"4x"), 400, 1)


def a_session_ends_when_its_client_says_so():
    sid = open_session()
    with waiting(sid) as future:
        assert post(sid, "1") == (200, "ok")
        assert future.result() == (200, "6")
    refused(fleet.ask(query=of(sid)), 400, 1)
    sid = open_session()
    assert post(sid, "4x\x1e1") == (200, "ok")
    refused(fleet.ask("POST", of(sid), b"4x"), 400, 1)
    assert poll(sid) == (200, "6")
    refused(fleet.ask(query=of(sid)), 400, 1)


def requests_of_unknown_sessions_are_refused():
    for sid in ("abc", "a" * 65, "", "%00", "{x}"):
        for method in ("GET", "POST"):
            answer = fleet.ask(method, of(sid), b"" if method == "GET" else b"4x")
            assert answer.status == 400, (sid, method, answer.status)


def a_client_that_polls_but_never_posts_is_sent_away():
    """One whose requests to post have failed does not know that."""
    sid, begin = open_session(), time.monotonic()
    while (answer := poll(sid))[0] == 200:
        assert answer[1] == "2" and time.monotonic() - begin < 5
    assert answer[0] == 503 and time.monotonic() - begin > 1.1, answer


def no_answer_has_more_than_sixteen_packets():
    sid = open_session()
    assert post(sid, "\x1e".join(f"4{n}" for n in range(20))) == (200, "ok")
    first, second = poll(sid)[1].split("\x1e"), poll(sid)[1].split("\x1e")
    assert (len(first), len(second)) == (16, 4) and first + second == [f"4{n}" for n in range(20)]


def an_outbox_that_nobody_empties_ends_the_session():
    sid = open_session()
    assert post(sid, "\x1e".join("4" for _ in range(200))) == (200, "ok")
    assert post(sid, "4x")[0] == 200
    assert poll(sid)[0] in (400, 503)
    assert poll(sid)[0] == 400


def a_body_over_the_limit_ends_the_session():
    sid = open_session()
    with waiting(sid) as future:
        assert post(sid, b"4" + b"x" * 1_000_000)[0] == 413
        assert future.result()[0] == 503
    sid = open_session()
    refused(fleet.ask("POST", of(sid), b"4x", CONTENT_TYPE="application/octet-stream"), 400, 3)
    refused(fleet.ask(query=of(sid)), 400, 1)


def a_cut_body_ends_the_session():
    sid = open_session()
    head = fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs({
        "REQUEST_METHOD": "POST", "REQUEST_URI": f"/engine.io/?{of(sid)}", "QUERY_STRING": of(sid), "CONTENT_LENGTH": "9"}))
    with waiting(sid) as future:
        with fastcgi.Peer(fleet.dir / "0.sock") as cut:
            cut.send(head + fastcgi.record(fastcgi.STDIN, b"4he"))
            time.sleep(0.05)
        assert future.result()[0] in (400, 503)
    refused(fleet.ask(query=of(sid)), 400, 1)


def a_process_killed_in_a_post_ends_the_session():
    """Its client does not know that it can no longer send."""
    sid = open_session()
    head = fastcgi.begin() + fastcgi.stream(fastcgi.PARAMS, fastcgi.pairs({
        "REQUEST_METHOD": "POST", "REQUEST_URI": f"/engine.io/?{of(sid)}", "QUERY_STRING": of(sid), "CONTENT_LENGTH": "900000"}))
    with fastcgi.Peer(fleet.dir / "0.sock") as sender:
        sender.send(head + fastcgi.record(fastcgi.STDIN, b"4he"))
        for _ in range(8):  # one that goes on is not dead
            assert poll(sid, at=1) == (200, "2")
            sender.send(fastcgi.record(fastcgi.STDIN, b"x" * 65_535))
        begin = time.monotonic()
        fleet.processes[0].kill()
        fleet.processes[0].wait()
        while (answer := poll(sid, at=1))[0] == 200:
            assert answer[1] == "2" and time.monotonic() - begin < 2
        assert answer[0] == 503, answer
    fleet.processes[0] = fleet.start(0)


def another_credential_and_another_origin_are_refused():
    sid = open_session()
    refused(fleet.ask(query=of(sid) + "&token=x"), 403, 4)
    refused(fleet.ask("POST", of(sid) + "&token=x", b"4x"), 403, 4)
    refused(fleet.ask(query=BASE, headers=None, HTTP_ORIGIN="https://evil.example", HTTP_HOST="good.example"), 403, 4)
    assert fleet.ask(query=BASE, HTTP_ORIGIN="https://good.example", HTTP_HOST="good.example").status == 200


def a_process_that_leaves_ends_its_polls_and_no_session():
    sid = open_session()
    with waiting(sid, at=0) as future:
        fleet.processes[0].send_signal(signal.SIGTERM)
        status, text = future.result()
        assert (status, text) in ((200, "6"), (200, "2")), (status, text)
    assert fleet.processes[0].wait(20) == 0
    assert post(sid, "4x", at=1) == (200, "ok")
    assert poll(sid, at=2) == (200, "4x")
    fleet.processes[0] = fleet.start(0)


def a_client_that_leaves_its_poll_loses_no_packet():
    sid = open_session()
    with fastcgi.Peer(fleet.dir / "0.sock") as gone:
        gone.send(fastcgi.request("GET", f"/engine.io/?{of(sid)}"))
        time.sleep(0.1)
    # The process notices at its next look, at the latest when a ping is due.
    for _ in range(4):
        assert post(sid, "3", at=1) == (200, "ok")
        time.sleep(0.1)
    assert post(sid, "4x", at=1) == (200, "ok")
    assert poll(sid, at=2) == (200, "4x")


def without_redis_everything_is_unavailable():
    sid = open_session()
    os.kill(fleet.redis.pid, signal.SIGSTOP)
    try:
        assert fleet.ask(at=0).status == 503
        assert poll(sid, at=1)[0] == 503
    finally:
        os.kill(fleet.redis.pid, signal.SIGCONT)
    until(lambda: fleet.ask().status == 200 and fleet.ask(at=1).status == 200)


def main():
    global fleet
    fleet = Fleet()
    try:
        return keep(a_handshake_has_these_five_members, a_handshake_of_another_protocol_is_refused,
                    a_handshake_by_another_method_is_refused, a_message_comes_back, several_messages_come_back_in_order,
                    binary_messages_come_back_as_base64, a_waiting_poll_gets_what_another_process_receives,
                    a_wrong_format_ends_the_session, a_second_poll_ends_the_session, a_second_post_ends_the_session,
                    pings_come_in_time_and_pongs_keep_the_session, a_session_without_a_sign_of_life_ends,
                    a_session_ends_when_its_client_says_so, requests_of_unknown_sessions_are_refused,
                    a_client_that_polls_but_never_posts_is_sent_away, no_answer_has_more_than_sixteen_packets,
                    an_outbox_that_nobody_empties_ends_the_session, a_body_over_the_limit_ends_the_session,
                    a_cut_body_ends_the_session, a_process_killed_in_a_post_ends_the_session, another_credential_and_another_origin_are_refused,
                    a_process_that_leaves_ends_its_polls_and_no_session, a_client_that_leaves_its_poll_loses_no_packet,
                    without_redis_everything_is_unavailable)
    finally:
        fleet.stop()


if __name__ == "__main__":
    sys.exit(main())
