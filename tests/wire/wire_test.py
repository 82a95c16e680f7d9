#!/usr/bin/env python3
"""Whatever a FastCGI or HTTP peer does, the front answers or closes the connection, and survives.

wire-server has the real front and its own routes; nothing else needs to run. The programs come from SYNCLINE_BIN, or
from build/. `wire_test.py NAME...` runs single tests.
"""

import concurrent.futures
import contextlib
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import fastcgi  # noqa: E402
from fastcgi import PARAMS, STDIN, Peer, ask, begin, pairs, record, request, stream  # noqa: E402
from installation import secret_file  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", ROOT / "build"))


class Server:
    def __init__(self, slots=4, directory=None, descriptors=None):
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="syncline-wire."))
        self.socket = self.dir / "wire.sock"
        self.log = open(self.dir / "log", "w+b")
        limit = [] if descriptors is None else ["prlimit", f"--nofile={descriptors}:"]
        self.process = subprocess.Popen([*limit, str(BIN / "wire-server"), str(self.socket), str(slots)], stderr=self.log)
        wait_until(self.socket.exists)
        wait_until(self.alive)

    def alive(self):
        try:
            return ask(self.socket, request("GET", "/headers")).status == 200
        except (FileNotFoundError, ConnectionRefusedError):
            return False

    def lines(self):
        self.log.flush()
        return (self.dir / "log").read_text().splitlines()

    def line(self, request_id):
        """The log lines of a request."""
        return [line for line in self.lines() if f" req={request_id} " in line]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        shutil.rmtree(self.dir, ignore_errors=True)
        return code


@contextlib.contextmanager
def redis_of(server, *options):
    path = f"{server.socket}.redis"
    process = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", str(server.dir),
                                *options],
                               stdout=subprocess.DEVNULL)
    try:
        wait_until(pathlib.Path(path).exists)
        yield
    finally:
        process.kill()
        process.wait()
        pathlib.Path(path).unlink(missing_ok=True)


def wait_until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


# ---- Valid requests

def a_body_is_echoed_unchanged(server):
    for size in (0, 1, 8191, 8192, 8193, 65535, 65536, 1 << 20):
        body = random.Random(size).randbytes(size)
        for length in (True, False):
            answer = ask(server.socket, request("POST", "/echo", body, length=length))
            assert (answer.status, answer.complete) == (200, True), (size, answer.status)
            assert answer.body == body, size
            assert answer.headers["content-length"] == str(size)


def headers_and_path_arrive(server):
    answer = ask(server.socket, request("GET", "/headers", headers={"Anki-Sync": '{"v":11}', "Synclıne": "ü"}))
    assert 'anki-sync={"v":11}' in answer.body.decode()
    answer = ask(server.socket, request("POST", "/echo/a%20b?x=%41"))
    assert answer.headers["x-path"] == "/echo/a%20b" and answer.headers["x-query"] == "x=%41"


def every_answer_has_the_fixed_headers_and_the_request_id(server):
    for uri in ("/headers", "/throw?what=int", "/echo", "/echo/1/2"):
        answer = ask(server.socket, request("GET", uri, SYNCLINE_REQUEST_ID="id-1"))
        assert answer.headers["cache-control"] == "no-store", uri
        assert answer.headers["x-request-id"] == "id-1", uri


def head_has_the_headers_and_no_body(server):
    answer = ask(server.socket, request("HEAD", "/headers"))
    assert answer.status == 200 and int(answer.headers["content-length"]) > 0 and answer.body == b""


def a_client_cannot_impersonate_nginx(server):
    answer = ask(server.socket, request("GET", "/headers", headers={"Syncline-User": "7"}))
    assert b"syncline-user" not in answer.body
    answer = ask(server.socket, request("GET", "/headers", SYNCLINE_USER="7"))
    assert b"syncline-user=7" in answer.body


def a_large_answer_is_complete(server):
    for piece in (1, 100, 8192, 65528, 65529, 200_001):
        size = 3_000_001 if piece > 1 else 100_001
        answer = ask(server.socket, request("GET", f"/stream?bytes={size}&piece={piece}&announce=1"))
        assert answer.complete and len(answer.body) == size, (piece, len(answer.body))
        assert answer.headers["content-length"] == str(size)


def a_gigabyte_is_read_in_constant_memory(server):
    def resident():
        return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{server.process.pid}/status").read_text())[1])
    before = resident()
    with Peer(server.socket, 60) as peer:
        total = 1 << 30
        peer.send(begin() + stream(PARAMS, pairs({"REQUEST_METHOD": "POST", "REQUEST_URI": "/count",
                                                  "CONTENT_LENGTH": str(total)})))
        piece = record(STDIN, b"x" * 65528) * 16
        sent = 0
        while sent + 65528 * 16 <= total:
            peer.send(piece)
            sent += 65528 * 16
        peer.send(stream(STDIN, b"x" * (total - sent)))
        answer = peer.answer()
    assert answer.body == str(total).encode(), answer.body
    assert resident() - before < 16 << 10, resident() - before


# ---- Refusals

def unknown_paths_and_methods_are_refused(server):
    assert ask(server.socket, request("GET", "/nothing")).status == 404
    answer = ask(server.socket, request("PUT", "/echo"))
    assert answer.status == 405 and answer.headers["allow"] == "POST"
    assert b'"error":"method_not_allowed"' in answer.body


def a_body_over_the_limit_is_refused(server):
    for length in (True, False, str(1 << 40), "9" * 30):
        answer = ask(server.socket, request("POST", "/echo", b"x" * ((1 << 20) + 1), length=length))
        assert answer.status == 413 and answer.complete, (length, answer.status)


def a_refused_upload_is_not_reset(server):
    """A web server that cannot send the whole body would report 502 instead of our answer."""
    with Peer(server.socket) as peer:
        assert peer.send(request("POST", "/echo", b"x" * (20 << 20)))
        answer = peer.answer()
    assert answer.status == 413 and answer.complete and not answer.reset


def invalid_lengths_are_refused(server):
    for length in ("-1", "1x", "0x10", "1 ", "٣"):
        assert ask(server.socket, request("POST", "/echo", b"x", length=length)).status == 400, length


def a_body_shorter_than_announced_is_refused(server):
    assert ask(server.socket, request("POST", "/echo", b"abc", length="10")).status == 400
    # A longer body is cut: the rest is not part of this request.
    assert ask(server.socket, request("POST", "/echo", b"abcdef", length="3")).body == b"abc"


def the_dialect_checks_the_login(server):
    for headers, status in (({}, 401), ({"X-Token": "wrong"}, 401), ({"X-Token": "right"}, 200)):
        answer = ask(server.socket, request("GET", "/private", headers=headers))
        assert answer.status == status
    assert answer.body.startswith(b"user=7\n")


def a_dialect_chooses_the_status_of_an_error(server):
    for headers, status in (({}, 418), ({"X-Token": "wrong"}, 418), ({"X-Token": "right"}, 200)):
        assert ask(server.socket, request("GET", "/teapot", headers=headers)).status == status
    assert ask(server.socket, request("PUT", "/teapot")).headers["allow"] == "GET, HEAD"


def an_optional_login_may_be_absent_but_not_wrong(server):
    for headers, status, user in (({}, 200, b"user=0\n"), ({"X-Token": "right"}, 200, b"user=7\n"),
                                  ({"X-Token": "wrong"}, 401, b"")):
        answer = ask(server.socket, request("GET", "/optional", headers=headers))
        assert answer.status == status and answer.body.startswith(user), (headers, answer.status, answer.body)


def a_route_can_require_a_role(server):
    for headers, status in (({}, 401), ({"X-Token": "right"}, 403), ({"X-Token": "admin"}, 200)):
        assert ask(server.socket, request("GET", "/admin", headers=headers)).status == status, headers


def a_body_can_be_validated_before_the_login(server):
    good = {"X-Token": "right"}
    for body, headers, status in ((b"x", {}, 422), (b"", {}, 422), (b"21", {}, 401), (b"x", good, 422), (b"21", good, 200)):
        answer = ask(server.socket, request("POST", "/double", body, headers=headers))
        assert answer.status == status, (body, headers, answer.status)
        assert (answer.headers.get("x-place") == "body") == (status == 422)
    assert answer.body == b"42"


# ---- Paths and methods

def a_tail_route_gets_the_rest_of_the_path(server):
    for uri, rest in (("/dav/", ""), ("/dav/a%20b/c", "a b/c"), ("/dav/a/", "a/"), ("/dav/%C3%BC?x=/y", "\u00fc"),
                      ("/dav/%25zz", "%zz")):
        answer = ask(server.socket, request("PROPFIND", uri))
        assert answer.status == 200 and answer.body.decode() == f"PROPFIND {rest}", (uri, answer.status, answer.body)
    for uri in ("/dav", "/dav//a", "/dav/a//b"):
        assert ask(server.socket, request("PROPFIND", uri)).status == 404, uri
    assert ask(server.socket, request("MKCALENDAR", "/dav/a")).headers["allow"] == "PROPFIND"


def ambiguous_paths_are_refused(server):
    for path in ("..", "a/../b", "a/%2e%2e/b", ".%2E", "%2F", "a%2fb", "%00", "a%00", "%ff", "%c0%af", "%ed%a0%80", "%", "%4",
                 "%zz", "."):
        for method in ("PROPFIND", "GET"):
            answer = ask(server.socket, request(method, "/dav/" + path, headers={"Origin": "https://good.example"}))
            assert answer.status == 400, (path, answer.status)
            # The error has the format of the service that owns the path.
            assert answer.body.startswith(b'{"error":'), answer.body
            assert answer.headers["access-control-allow-origin"] == "https://good.example"


# ---- Pages of other origins

def a_page_of_an_allowed_origin_may_read_answers(server):
    for uri, status in (("/headers", 200), ("/private", 401), ("/throw?what=int", 500)):
        answer = ask(server.socket, request("GET", uri, headers={"Origin": "https://good.example"}))
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == "https://good.example", uri
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-expose-headers"] == "ETag" and answer.headers["vary"] == "Origin"
    for origin in ("https://bad.example", "https://good.example.evil", "null", "*"):
        answer = ask(server.socket, request("GET", "/headers", headers={"Origin": origin}))
        assert answer.status == 200 and "access-control-allow-origin" not in answer.headers, origin
    assert "vary" not in ask(server.socket, request("GET", "/teapot", headers={"Origin": "https://good.example"})).headers


def a_preflight_needs_no_login_and_no_route(server):
    headers = {"Origin": "https://good.example", "Access-Control-Request-Method": "GET"}
    answer = ask(server.socket, request("OPTIONS", "/private", headers=headers))
    assert answer.status == 204 and answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert answer.headers["access-control-allow-headers"] == "x-token, content-type"
    answer = ask(server.socket, request("OPTIONS", "/private", headers={**headers, "Origin": "https://bad.example"}))
    assert answer.status == 204 and "access-control-allow-methods" not in answer.headers
    assert ask(server.socket, request("OPTIONS", "/nothing", headers=headers)).status == 404
    assert ask(server.socket, request("OPTIONS", "/private")).status == 405
    assert ask(server.socket, request("OPTIONS", "/teapot", headers=headers)).status == 405


# ---- Streams

def an_event_arrives_before_the_next_one(server):
    until = server.dir / "next"
    with Peer(server.socket) as peer:
        peer.send(request("GET", f"/events?until={until}"))
        while b"data: 1\n\n" not in peer.received:
            assert peer.receive(), "the answer ended before its first event came"
        assert b"data: 2" not in peer.received
        until.touch()
        assert peer.answer().body.endswith(b"data: 1\n\ndata: 2\n\n")


# ---- Rate limits; Redis listens next to the server's socket

def calls_within_the_limit_are_served_and_the_next_is_429(server=None):
    server = Server()
    try:
        with redis_of(server):
            def statuses(uri, token="right", count=5, **params):
                answers = [ask(server.socket, request("GET", uri, headers={"X-Token": token} if token else {}, **params))
                           for _ in range(count)]
                assert all(("retry-after" in answer.headers) == (answer.status == 429) for answer in answers)
                return [answer.status for answer in answers]
            assert statuses("/limited") == [200, 200, 200, 429, 429]
            # Another account, requests without an account, and another network have their own counts.
            assert statuses("/limited", token="admin") == [200, 200, 200, 429, 429]
            assert statuses("/limited", token=None) == [200, 200, 200, 429, 429]
            assert statuses("/limited", token=None, REMOTE_ADDR="10.0.0.9") == [200, 200, 200, 429, 429]
            # Per network: the account does not matter, and an IPv6 network is one /64.
            assert statuses("/limited-network", count=3) == [200] * 3
            assert statuses("/limited-network", token="admin", count=1) == [429]
            assert statuses("/limited-network", count=3, REMOTE_ADDR="2001:db8::1") == [200] * 3
            assert statuses("/limited-network", count=1, REMOTE_ADDR="2001:db8::ffff") == [429]
            assert statuses("/limited-network", count=1, REMOTE_ADDR="2001:db8:0:1::1") == [200]
    finally:
        server.stop()


def without_redis_a_limit_is_open_or_closed_as_its_route_says(server=None):
    server = Server()
    try:
        for uri, status in (("/limited", 200), ("/limited-closed", 503), ("/headers", 200)):
            for _ in range(5):
                answer = ask(server.socket, request("GET", uri))
                assert answer.status == status, (uri, answer.status)
                assert ("retry-after" in answer.headers) == (status == 503)
        with redis_of(server):
            assert ask(server.socket, request("GET", "/limited-closed")).status == 200
        with redis_of(server, "--maxmemory", "1"):  # answers, but with errors
            for uri, status in (("/limited", 200), ("/limited-closed", 503)):
                assert ask(server.socket, request("GET", uri)).status == status, uri
        assert ask(server.socket, request("GET", "/limited-closed")).status == 503
    finally:
        server.stop()


def private_text_stays_in_the_log(server):
    for what, status in (("int", 500), ("memory", 503), ("error", 503), ("exception", 500)):
        request_id = f"private-{what}"
        answer = ask(server.socket, request("GET", f"/throw?what={what}", SYNCLINE_REQUEST_ID=request_id))
        assert answer.status == status, (what, answer.status)
        assert b"private" not in answer.body.replace(request_id.encode(), b"")
        assert (status == 503) == ("retry-after" in answer.headers)
        assert len(server.line(request_id)) == 1
    assert 'why="private text\\nts=forged"' in server.line("private-exception")[0]


def a_failing_dialect_gives_a_bare_500_and_one_line(server):
    answer = ask(server.socket, request("GET", "/broken-dialect?what=error", SYNCLINE_REQUEST_ID="broken-dialect"))
    assert (answer.status, answer.body, answer.complete) == (500, b"", True)
    line, = server.line("broken-dialect")
    assert " lvl=error " in line and 'why="the dialect failed"' in line


def a_client_that_disconnects_is_not_an_error(server):
    with Peer(server.socket) as peer:
        peer.send(request("GET", "/stream?bytes=1000000000&piece=100000", SYNCLINE_REQUEST_ID="client-left"))
        peer.receive()
    wait_until(lambda: server.line("client-left"))
    line, = server.line("client-left")
    assert " lvl=info " in line and " err=client_gone " in line


def a_handler_cannot_split_headers(server):
    answer = ask(server.socket, request("GET", "/inject"))
    assert "x-forged" not in answer.headers and answer.body == b""
    assert answer.headers["x-value"].startswith("a")


def a_failed_stream_is_visibly_incomplete(server):
    for fail in (0, 10_000, 1_000_000):
        request_id = f"cut-{fail}"
        answer = ask(server.socket, request("GET", f"/stream?bytes=2000000&piece=10000&fail={fail}",
                                            SYNCLINE_REQUEST_ID=request_id))
        assert not answer.complete and len(answer.body) < 2_000_000
        assert "err=cut_short" in server.line(request_id)[0]


def a_deadline_ends_a_slow_body(server):
    with Peer(server.socket) as peer:
        peer.send(begin() + stream(PARAMS, pairs({"REQUEST_METHOD": "POST", "REQUEST_URI": "/late"})))
        time.sleep(0.1)  # longer than the deadline of the route; the exact time does not matter
        peer.send(stream(STDIN, b"x" * 100_000))
        assert peer.answer().status == 503


# ---- Peers that send invalid FastCGI, or stop half-way

def every_truncation_leaves_the_server_alive(server):
    whole = request("POST", "/echo", b"body", headers={"X-Y": "z" * 200})
    for cut in range(0, len(whole)):
        with Peer(server.socket) as peer:
            peer.send(whole[:cut])
    assert server.alive()


def every_byte_changed_leaves_the_server_alive(server):
    whole = request("POST", "/echo", b"body", headers={"X-Y": "z"})
    chance = random.Random(1)
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1 << chance.randrange(8)
        with Peer(server.socket) as peer:
            peer.send(bytes(changed))
            peer.socket.shutdown(1)
            peer.answer()
    assert server.alive()


def noise_leaves_the_server_alive(server):
    chance = random.Random(2)
    for _ in range(300):
        with Peer(server.socket) as peer:
            peer.send(chance.randbytes(chance.randrange(200)))
            peer.socket.shutdown(1)
            peer.answer()
        with Peer(server.socket) as peer:
            kinds = [record(chance.randrange(13), chance.randbytes(chance.randrange(40)), chance.randrange(3),
                            padding=chance.randrange(9)) for _ in range(chance.randrange(6))]
            peer.send(begin() + b"".join(kinds))
            peer.socket.shutdown(1)
            peer.answer()
    assert server.alive()


def incomplete_or_invalid_params_are_refused(server):
    for params in ({}, {"REQUEST_METHOD": "GET"}, {"REQUEST_URI": "/headers"}, {"": ""}, {"REQUEST_METHOD": ""},
                   {"REQUEST_METHOD": "GET", "REQUEST_URI": "/a/../b"}, {"REQUEST_METHOD": "GET", "REQUEST_URI": "x"},
                   {"REQUEST_METHOD": "GET", "REQUEST_URI": "/%zz"}, {"REQUEST_METHOD": "GET", "REQUEST_URI": "/%00"},
                   {"REQUEST_METHOD": "G\0T", "REQUEST_URI": "\0"}):
        answer = ask(server.socket, begin() + stream(PARAMS, pairs(params)) + stream(STDIN, b""))
        assert answer.status == 400, (params, answer.status)


def params_work_up_to_their_limit(server):
    answer = ask(server.socket, request("GET", "/headers", headers={"X-Big": "a" * 50_000}))
    assert answer.status == 200 and len(answer.body) > 50_000
    many = {f"X-{n}": "v" for n in range(3000)}
    assert ask(server.socket, request("GET", "/headers", headers=many)).body.count(b"\n") > 3000
    for size in (61_400, 1_000_000, 100_000_000):
        assert not ask(server.socket, request("GET", "/headers", headers={"X-Big": "a" * size})).complete
    head = begin() + stream(PARAMS, pairs({"REQUEST_METHOD": "GET", "REQUEST_URI": "/headers"}), piece=1)
    assert ask(server.socket, head + stream(STDIN, b"")).status == 200
    padded = begin() + record(PARAMS, pairs({"REQUEST_METHOD": "GET", "REQUEST_URI": "/headers"}), padding=255)
    padded += record(PARAMS, padding=9) + record(STDIN, padding=9)
    assert ask(server.socket, padded).status == 200


def impossible_param_lengths_close_the_connection(server):
    for lengths in (b"\xff\xff\xff\xff\xff\xff\xff\xff", b"\x80\x00\x00\x01\xff\xff\xff\xff", b"\x7f\x7f",
                    b"\xff\xff\xff\xfe\x00", b"\xc0\x00\x00\x00\xc0\x00\x00\x00"):
        answer = ask(server.socket, begin() + stream(PARAMS, lengths + b"abc"))
        assert not answer.complete
    assert server.alive()


def management_records_leave_the_server_alive(server):
    values = pairs({"FCGI_MAX_CONNS": "", "FCGI_MAX_REQS": "", "FCGI_MPXS_CONNS": ""})
    head = begin() + stream(PARAMS, pairs({"REQUEST_METHOD": "POST", "REQUEST_URI": "/echo"}))
    for content in (values, values * 100, b"\xff" * 8, b""):
        for before in (b"", begin(), head):
            ask(server.socket, before + record(fastcgi.GET_VALUES, content, request_id=0))
    assert server.alive()


def abort_and_other_requests_on_the_connection_do_no_harm(server):
    head = begin() + stream(PARAMS, pairs({"REQUEST_METHOD": "POST", "REQUEST_URI": "/echo", "CONTENT_LENGTH": "10"}))
    assert ask(server.socket, head + record(fastcgi.ABORT)).status == 400
    assert ask(server.socket, head + begin(request_id=2) + stream(STDIN, b"0123456789")).status == 400
    assert ask(server.socket, head + record(STDIN, b"x", request_id=9) + stream(STDIN, b"0123456789")).status == 400
    assert ask(server.socket, head + stream(STDIN, b"0123456789")).status == 200


def keep_alive_is_ignored(server):
    whole = request("GET", "/headers")
    answer = ask(server.socket, begin(flags=1) + whole[len(begin()):])
    assert answer.complete  # and ask() returned, so the connection was closed


def peers_that_disconnect_leave_the_server_alive(server):
    for _ in range(50):
        with Peer(server.socket) as peer:
            peer.send(request("GET", "/stream?bytes=100000000&piece=100000"))
    for _ in range(50):
        with Peer(server.socket) as peer:
            peer.send(request("POST", "/count", b"x" * 100_000)[:50_000])
    assert server.alive()


# ---- The log

def every_request_logs_one_line_without_its_token(server):
    for status, uri, headers in ((200, "/private", {"X-Token": "right"}), (401, "/private", {"X-Token": "s3cret-t0ken"}),
                                 (404, "/s?k=s3cret-t0ken", {}), (405, "/echo?k=s3cret-t0ken", {})):
        request_id = f"log-{status}"
        answer = ask(server.socket, request("GET", uri, headers=headers, SYNCLINE_REQUEST_ID=request_id))
        assert answer.status == status
        lines = server.line(request_id)
        assert len(lines) == 1 and f" status={status} " in lines[0], lines
        assert re.match(r"ts=\S+ lvl=\w+ req=\S+ svc=\S+ op=\S+ user=\S+ status=\d+ err=\S+ ms=[\d.]+ db=\d+ db_ms=[\d.]+ "
                        r"in=\d+ out=\d+", lines[0]), lines[0]
    assert "s3cret-t0ken" not in "\n".join(server.lines())


def no_path_can_forge_a_log_line(server):
    for uri in ("/x%0ats=1%20lvl=info%20req=forged%20status=200", "/x\nts=1 lvl=info req=forged status=200"):
        ask(server.socket, request("GET", uri))
    assert not [line for line in server.lines() if line.startswith("ts=1 ")]


# ---- Shutdown; each test has its own server

def sigterm_under_load_loses_no_request():
    directory = tempfile.mkdtemp(prefix="syncline-wire.")
    path = pathlib.Path(directory) / "wire.sock"
    lost, answered, stop = [], [0], threading.Event()
    # The listening socket outlives the processes, like systemd's: it is descriptor 0 of syncline-fcgi.
    import socket
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1024)

    def start():
        env = {**os.environ, "SYNCLINE_DATABASE_URL": "postgresql:///?host=/nonexistent",
               "SYNCLINE_SECRET_FILE": secret_file(directory)}
        log = open(pathlib.Path(directory) / "log", "ab")
        return subprocess.Popen([str(BIN / "syncline-fcgi"), "--slots", "4"], stdin=listener.fileno(), stderr=log, env=env)

    def client():
        while not stop.is_set():
            try:
                answer = ask(path, request("GET", "/healthz", headers={"X-Pad": "x" * 3000}))
                if answer.status != 200 or not answer.complete:
                    lost.append(answer.status)
            except OSError as error:
                lost.append(error)
            answered[0] += 1

    log = pathlib.Path(directory) / "log"

    def started(count):
        wait_until(lambda: log.read_text().count("event=started") == count)

    processes = [start(), start()]
    started(2)
    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        target = answered[0] + 50
        wait_until(lambda: answered[0] > target)
        old = processes[turn % 2]
        old.send_signal(signal.SIGTERM)
        assert old.wait(10) == 0
        processes[turn % 2] = start()
        started(turn + 3)
    stop.set()
    for thread in threads:
        thread.join()
    for process in processes:
        process.terminate()
        assert process.wait(10) == 0
    assert not lost, (len(lost), lost[:5])
    shutil.rmtree(directory)


def sigterm_finishes_requests_in_flight():
    server = Server(slots=2)
    released = server.dir / "go"
    with Peer(server.socket, 20) as peer:
        peer.send(request("GET", f"/wait?until={released}"))
        with Peer(server.socket) as half:
            half.send(request("POST", "/echo", b"x" * 10)[:-12])  # the rest is sent after the signal
            time.sleep(0.05)  # time for both slots to accept
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.05)
            assert server.process.poll() is None
            half.send(request("POST", "/echo", b"x" * 10)[-12:])
            assert half.answer().body == b"x" * 10
        released.touch()
        assert peer.answer().body == b"waited\n"
    assert server.process.wait(10) == 0
    shutil.rmtree(server.dir)


def a_half_sent_head_does_not_keep_a_process_from_leaving():
    server = Server()
    with Peer(server.socket, 20) as peer:
        peer.send(request("GET", "/headers")[:30])
        time.sleep(0.05)
        begin_time = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin_time < 8


def private(server, released, token="right", **params):
    """Bytes of a request with a login that holds its slot until `released` exists."""
    headers = {"X-Token": token}
    return request("POST", f"/wait-private?until={released}", b"x" * 1000, headers=headers, **params)


def requests_of_one_account_beyond_two_wait_without_a_slot():
    server = Server(slots=3)
    released = server.dir / "go"
    with concurrent.futures.ThreadPoolExecutor(21) as pool:
        answers = [pool.submit(ask, server.socket, private(server, released), 20) for _ in range(20)]
        time.sleep(0.3)
        assert ask(server.socket, request("GET", "/headers")).status == 200
        # Another account has turns of its own.
        other = pool.submit(ask, server.socket, private(server, "/", "admin"), 20)
        assert other.result(5).status == 200
        assert not any(answer.done() for answer in answers)
        released.touch()
        assert [answer.result().status for answer in answers] == [200] * 20
        assert all(answer.result().body == b"waited\n" for answer in answers)
    # Nothing is logged twice.
    assert sum("op=wire.wait_private" in line for line in server.lines()) == 21
    assert server.stop() == 0


def a_parked_request_is_refused_when_the_process_leaves():
    server = Server(slots=3)
    released = server.dir / "go"
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(ask, server.socket, private(server, released), 20) for _ in range(3)]
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        concurrent.futures.wait(answers, 10, concurrent.futures.FIRST_COMPLETED)
        refused = [answer.result() for answer in answers if answer.done()]
        assert [answer.status for answer in refused] == [503] and "retry-after" in refused[0].headers
        released.touch()
        assert sorted(answer.result().status for answer in answers) == [200, 200, 503]
    assert server.process.wait(10) == 0
    shutil.rmtree(server.dir)


def a_request_that_nobody_waits_for_any_more_is_dropped():
    server = Server(slots=1)
    released = server.dir / "go"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        holder = pool.submit(ask, server.socket, request("GET", f"/wait?until={released}"), 20)
        time.sleep(0.1)
        with Peer(server.socket) as peer:
            peer.send(request("POST", "/echo", b"x", SYNCLINE_REQUEST_ID="gone-1"))
        released.touch()
        assert holder.result().status == 200
    # Passed on too long ago: the client has given up. But only nginx can say so.
    long_ago = f"{time.time() - 100:.3f}"
    assert ask(server.socket, request("POST", "/echo", b"x", SYNCLINE_ARRIVED=long_ago)).status == 503
    assert ask(server.socket, request("POST", "/echo", b"x", headers={"Syncline-Arrived": long_ago})).status == 200
    ask(server.socket, request("POST", "/echo", b"x", SYNCLINE_REQUEST_ID="late-1", SYNCLINE_ARRIVED=f"{time.time() - 3.5:.3f}"))
    late = server.line("late-1")
    assert len(late) == 1 and re.search(r" waited_ms=3\d\d\d$", late[0]), late
    for odd in (f"{time.time():.3f}", "", ".123", "99999999999999999999.123", "-5.000", f"{time.time() + 100:.3f}", "1.234"):
        assert ask(server.socket, request("POST", "/echo", b"x", SYNCLINE_ARRIVED=odd)).status == 200, odd
    gone = [line for line in server.lines() if "req=gone-1" in line]
    assert len(gone) == 1 and "err=client_gone" in gone[0], gone
    assert server.stop() == 0


def sigterm_ends_endless_streams(server=None):
    server = Server()
    with Peer(server.socket) as peer:
        peer.send(request("GET", "/events?until=/nonexistent"))
        while b"data: 1\n\n" not in peer.received:
            assert peer.receive()
        assert server.stop() == 0
        answer = peer.answer()
        assert answer.complete and answer.body.endswith(b"data: leaving\n\n")


def an_idle_server_exits_at_once():
    for _ in range(20):
        server = Server(slots=16)
        begin_time = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin_time < 2


def after_sigkill_the_answer_is_visibly_incomplete():
    server = Server(slots=2)
    with Peer(server.socket, 20) as peer:
        peer.send(request("GET", f"/wait?until={server.dir}/never"))
        time.sleep(0.02)
        server.process.kill()
        server.process.wait()
        assert not peer.answer().complete
    shutil.rmtree(server.dir)


def a_slot_without_descriptors_waits_and_the_process_survives():
    # Three standard descriptors, the listening socket, the alarm of parked requests, and the one that each of four slots
    # waits on: five are left, but the slots need two each and one for a connection.
    server = Server(slots=4, descriptors=14)
    assert server.alive()
    wait_until(lambda: any("err=socketpair" in line for line in server.lines()))
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (1024, resource.prlimit(
        server.process.pid, resource.RLIMIT_NOFILE)[1]))
    released = server.dir / "go"

    def wait(_):
        return ask(server.socket, request("GET", f"/wait?until={released}"), 20).status

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = pool.map(wait, range(4))
        wait_until(lambda: len(list(pathlib.Path(f"/proc/{server.process.pid}/fd").iterdir())) >= 5 + 4 * 4)
        released.touch()
        assert list(answers) == [200] * 4
    assert server.stop() == 0


def without_a_socket_the_server_exits_with_a_hint():
    with tempfile.TemporaryDirectory() as directory:
        done = started_with(SYNCLINE_SECRET_FILE=secret_file(directory))
    assert done.returncode == 71 and "--socket PATH" in done.stderr


def without_a_secret_the_server_exits_with_a_hint():
    done = started_with(SYNCLINE_SECRET_FILE="")
    assert done.returncode == 78 and done.stderr == "syncline-fcgi: secret_file: is not set\n", done
    done = started_with(SYNCLINE_SECRET_FILE="/nonexistent")
    assert done.returncode == 78 and "/nonexistent: No such file" in done.stderr, done


def started_with(**settings):
    return subprocess.run([str(BIN / "syncline-fcgi")], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, **settings})


WITH_SERVER = [
    a_body_is_echoed_unchanged, headers_and_path_arrive, every_answer_has_the_fixed_headers_and_the_request_id,
    head_has_the_headers_and_no_body, a_client_cannot_impersonate_nginx, a_large_answer_is_complete,
    a_gigabyte_is_read_in_constant_memory, unknown_paths_and_methods_are_refused, a_body_over_the_limit_is_refused,
    a_refused_upload_is_not_reset, invalid_lengths_are_refused, a_body_shorter_than_announced_is_refused,
    the_dialect_checks_the_login, private_text_stays_in_the_log, a_handler_cannot_split_headers,
    a_failing_dialect_gives_a_bare_500_and_one_line, a_client_that_disconnects_is_not_an_error,
    a_dialect_chooses_the_status_of_an_error, an_optional_login_may_be_absent_but_not_wrong, a_route_can_require_a_role,
    a_body_can_be_validated_before_the_login, a_tail_route_gets_the_rest_of_the_path, ambiguous_paths_are_refused,
    a_page_of_an_allowed_origin_may_read_answers, a_preflight_needs_no_login_and_no_route, an_event_arrives_before_the_next_one,
    a_failed_stream_is_visibly_incomplete, a_deadline_ends_a_slow_body, every_truncation_leaves_the_server_alive,
    every_byte_changed_leaves_the_server_alive, noise_leaves_the_server_alive,
    incomplete_or_invalid_params_are_refused, params_work_up_to_their_limit, impossible_param_lengths_close_the_connection,
    management_records_leave_the_server_alive, abort_and_other_requests_on_the_connection_do_no_harm,
    keep_alive_is_ignored, peers_that_disconnect_leave_the_server_alive, every_request_logs_one_line_without_its_token,
    no_path_can_forge_a_log_line,
]
ALONE = [
    calls_within_the_limit_are_served_and_the_next_is_429, without_redis_a_limit_is_open_or_closed_as_its_route_says,
    sigterm_under_load_loses_no_request, sigterm_finishes_requests_in_flight, sigterm_ends_endless_streams,
    a_half_sent_head_does_not_keep_a_process_from_leaving, requests_of_one_account_beyond_two_wait_without_a_slot,
    a_parked_request_is_refused_when_the_process_leaves, a_request_that_nobody_waits_for_any_more_is_dropped,
    an_idle_server_exits_at_once, after_sigkill_the_answer_is_visibly_incomplete,
    a_slot_without_descriptors_waits_and_the_process_survives, without_a_socket_the_server_exits_with_a_hint,
    without_a_secret_the_server_exits_with_a_hint,
]


def main():
    names = set(sys.argv[1:])
    passed = failed = 0
    server = Server()
    for test in WITH_SERVER + ALONE:
        if names and test.__name__ not in names:
            continue
        begin_time = time.monotonic()
        try:
            test(*([server] if test in WITH_SERVER else []))
            assert server.process.poll() is None, f"the server died: {server.process.returncode}"
            passed += 1
            print(f"ok      {test.__name__} {time.monotonic() - begin_time:.1f} s")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__} {error}")
            if server.process.poll() is not None:
                server = Server()
    if server.stop() != 0:
        failed += 1
        print("FAILED  the server did not leave as asked")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
