#!/usr/bin/env python3
"""The front behind a real nginx with our params: what becomes of chunked bodies, of refusals before the body was sent,
and of answers that fail half-way. Needs nginx and wire-server, nothing else; skipped without nginx."""

import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from wire_test import ROOT, Server, wait_until  # noqa: E402

CONFIG = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log info;
events {{ worker_connections 200; }}
http {{
  access_log off; client_body_temp_path {dir}/t1; fastcgi_temp_path {dir}/t2; proxy_temp_path {dir}/t3;
  uwsgi_temp_path {dir}/t4; scgi_temp_path {dir}/t5;
  map $request_uri $syncline_uri {{ default $request_uri; }}
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 0; fastcgi_read_timeout 10s;
    include {root}/nginx/syncline_params;
    location / {{ fastcgi_pass unix:{dir}/wire.sock; }}
    location /count {{ fastcgi_request_buffering off; fastcgi_pass unix:{dir}/wire.sock; }}
  }}
}}
"""


class Nginx:
    def __init__(self, server):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        server.socket.chmod(0o666)
        server.dir.chmod(0o777)
        (server.dir / "nginx.conf").write_text(CONFIG.format(dir=server.dir, root=ROOT, port=self.port))
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        self.process = subprocess.Popen([nginx, "-c", str(server.dir / "nginx.conf"), "-e", str(server.dir / "nginx.log")])
        wait_until(self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, head, body=b""):
        """Sends bytes as they are; returns (status, complete, body)."""
        with socket.create_connection(("127.0.0.1", self.port), 20) as connection:
            connection.sendall(head.replace("\n", "\r\n").encode() + b"Host: x\r\nConnection: close\r\n\r\n")
            try:
                connection.sendall(body)
            except (BrokenPipeError, ConnectionResetError):
                pass
            data = b""
            while got := connection.recv(1 << 20):
                data += got
        head, _, rest = data.partition(b"\r\n\r\n")
        status, headers = int(head.split()[1]), head.lower()
        if b"transfer-encoding: chunked" in headers:
            out = b""
            while rest:
                size, _, rest = rest.partition(b"\r\n")
                if int(size, 16) == 0:
                    return status, True, out
                out, rest = out + rest[:int(size, 16)], rest[int(size, 16) + 2:]
            return status, False, out
        length = [line for line in headers.split(b"\r\n") if line.startswith(b"content-length: ")]
        return status, not length or len(rest) == int(length[0].split()[1]), rest


def chunked(body, piece=100_000):
    out = b""
    for at in range(0, len(body), piece):
        part = body[at:at + piece]
        out += f"{len(part):x}\r\n".encode() + part + b"\r\n"
    return out + b"0\r\n\r\n"


def a_chunked_body_arrives_whole(nginx):
    for size in (0, 1, 100_000, 1 << 20):
        body = b"x" * size
        assert nginx.ask("POST /echo HTTP/1.1\nTransfer-Encoding: chunked\n", chunked(body)) == (200, True, body), size


def a_chunked_body_nobody_has_counted_arrives_whole(nginx):
    for size in (0, 1, 20_000_000):
        answer = nginx.ask("POST /count HTTP/1.1\nTransfer-Encoding: chunked\n", chunked(b"x" * size))
        assert answer == (200, True, str(size).encode()), answer


def a_refused_upload_gets_its_answer_at_once(nginx):
    body = b"x" * 20_000_000
    for head, sent in ((f"Content-Length: {len(body)}", body), ("Transfer-Encoding: chunked", chunked(body))):
        begin = time.monotonic()
        status, complete, text = nginx.ask(f"POST /echo HTTP/1.1\n{head}\n", sent)
        assert (status, complete) == (413, True) and b"body_too_large" in text, (head, status, complete)
        assert time.monotonic() - begin < 8


def an_answer_that_fails_never_looks_complete(nginx):
    for query in ("bytes=3000000&piece=10000&fail=1000000", "bytes=3000000&piece=10000&fail=1000000&announce=1",
                  "bytes=3000000&piece=100000&fail=2900000"):
        status, complete, body = nginx.ask(f"GET /stream?{query} HTTP/1.1\n")
        assert status == 200 and not complete and len(body) < 3_000_000, (query, status, complete, len(body))
    # Nothing had gone out yet: nginx can still say that it failed.
    assert nginx.ask("GET /stream?bytes=30000&piece=100&fail=1000 HTTP/1.1\n")[0] == 502


def a_large_answer_is_whole(nginx):
    for query in ("", "&announce=1"):
        status, complete, body = nginx.ask(f"GET /stream?bytes=30000000&piece=10000{query} HTTP/1.1\n")
        assert (status, complete, len(body)) == (200, True, 30_000_000)


def a_client_cannot_pass_for_nginx(nginx):
    answer = nginx.ask("GET /headers HTTP/1.1\nSyncline-User: 7\nSyncline_User: 8\nSYNCLINE-USER: 9\n")
    assert answer[0] == 200 and b"syncline-user" not in answer[2].lower(), answer


TESTS = [a_chunked_body_arrives_whole, a_chunked_body_nobody_has_counted_arrives_whole,
         a_refused_upload_gets_its_answer_at_once, an_answer_that_fails_never_looks_complete, a_large_answer_is_whole,
         a_client_cannot_pass_for_nginx]


def main():
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None:
        print("there is no nginx")
        return 77
    server = Server(directory=tempfile.mkdtemp(prefix="syncline-nginx."))
    nginx = Nginx(server)
    passed = failed = 0
    for test in TESTS:
        if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
            continue
        try:
            test(nginx)
            passed += 1
            print(f"ok      {test.__name__}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"FAILED  {test.__name__}: {type(error).__name__} {str(error)[:300]}")
    nginx.process.terminate()
    nginx.process.wait(10)
    server.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
