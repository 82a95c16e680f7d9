#!/usr/bin/env python3
"""The front behind a real nginx with our params: chunked bodies, refusals before the body was sent, answers that fail
half-way, and the paths of our site. Needs only nginx, openssl and wire-server; skipped without nginx."""

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
  server {{
    listen 127.0.0.1:{port}; client_max_body_size 0; fastcgi_read_timeout 10s;
    include {root}/nginx/syncline_params;
    location / {{ fastcgi_pass unix:{dir}/wire.sock; }}
    location /count {{ fastcgi_request_buffering off; fastcgi_pass unix:{dir}/wire.sock; }}
  }}
}}
"""
# The real site, on a second port. wire-server serves all of its pools.
MESSAGE_MIB, UPLOAD_MIB = 2, 5


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def site(directory, port, metrics, logins_over="any", hsts=""):
    for pool in ("api", "edge", "transfer", "large"):
        (directory / f"{pool}.sock").symlink_to("wire.sock")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=x", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"], check=True, capture_output=True)
    values = {"LISTEN_HTTP": f"127.0.0.1:{port}", "LISTEN_HTTPS": f"127.0.0.1:{free_port()}", "SERVER_NAME": "_",
              "LISTEN_IPV6": "", "LISTEN_METRICS": metrics, "LOGINS_OVER": logins_over, "HSTS": hsts,
              "CERTIFICATE": directory / "cert.pem", "CERTIFICATE_KEY": directory / "key.pem", "SOCKETS": directory,
              "HTML": ROOT / "nginx/html", "ACCESS_LOG": directory / "access.log", "ERROR_LOG": directory / "error.log",
              "PARAMS": ROOT / "nginx/syncline_params", "AUTHORIZE": ROOT / "nginx/syncline_authorize",
              "UPLOAD_MIB": UPLOAD_MIB, "MESSAGE_MIB": MESSAGE_MIB}
    return subprocess.run([ROOT / "nginx/render-site", ROOT / "nginx/site.conf.in",
                           *(f"{name}={value}" for name, value in values.items())],
                          check=True, text=True, stdout=subprocess.PIPE).stdout


class Nginx:
    def __init__(self, server):
        self.port, self.site_port, self.metrics_port = free_port(), free_port(), free_port()
        server.socket.chmod(0o666)
        server.dir.chmod(0o777)
        config = CONFIG.format(dir=server.dir, root=ROOT, port=self.port)
        config = config.rstrip().removesuffix("}") + site(server.dir, self.site_port, f"0.0.0.0:{self.metrics_port}") + "}\n"
        (server.dir / "nginx.conf").write_text(config)
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        self.process = subprocess.Popen([nginx, "-c", str(server.dir / "nginx.conf"), "-e", str(server.dir / "nginx.log")])
        wait_until(self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, head, body=b"", port=None, address="127.0.0.1"):
        """Sends the bytes unchanged; returns (status, complete, body)."""
        with socket.create_connection((address, port or self.port), 20) as connection:
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


def a_chunked_body_arrives_complete(nginx):
    for size in (0, 1, 100_000, 1 << 20):
        body = b"x" * size
        assert nginx.ask("POST /echo HTTP/1.1\nTransfer-Encoding: chunked\n", chunked(body)) == (200, True, body), size


def an_unbuffered_chunked_body_arrives_complete(nginx):
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


def a_failed_answer_never_looks_complete(nginx):
    for query in ("bytes=3000000&piece=10000&fail=1000000", "bytes=3000000&piece=10000&fail=1000000&announce=1",
                  "bytes=3000000&piece=100000&fail=2900000"):
        status, complete, body = nginx.ask(f"GET /stream?{query} HTTP/1.1\n")
        assert status == 200 and not complete and len(body) < 3_000_000, (query, status, complete, len(body))
    # Nothing was sent to the client yet, so nginx can still report the failure.
    assert nginx.ask("GET /stream?bytes=30000&piece=100&fail=1000 HTTP/1.1\n")[0] == 502


def a_large_answer_is_complete(nginx):
    for query in ("", "&announce=1"):
        status, complete, body = nginx.ask(f"GET /stream?bytes=30000000&piece=10000{query} HTTP/1.1\n")
        assert (status, complete, len(body)) == (200, True, 30_000_000)


def a_client_cannot_impersonate_nginx(nginx):
    answer = nginx.ask("GET /headers HTTP/1.1\nSyncline-User: 7\nSyncline_User: 8\nSYNCLINE-USER: 9\n")
    assert answer[0] == 200 and b"syncline-user" not in answer[2].lower(), answer


METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "MKCOL", "COPY", "MADE-UP")


def no_path_is_answered_403(nginx):
    """403 would make Anki drop its key."""
    nowhere = ("/anki", "/anki/", "/anki/x", "/style.css/", "/style.css/x", "/index.html/", "/sync", "/Sync", "/SYNC/meta",
               "/sync/meta/", "/sync/meta/x", "/anki/sync/nothing", "/meta", "/msync", "/msync/", "/msync/begin",
               "/anki/msync/begin", "/Sync/msync/mediaSanity", "/a/" * 100, "/" + "a" * 5000, "/%2e%2e%2fx", "/anki/%00",
               "/anime/sync/top")
    for path in (*nowhere, "/", "/index.html", "/style.css"):
        for method in METHODS:
            for body in ("", "Content-Length: 3\n"):
                status = nginx.ask(f"{method} {path} HTTP/1.1\n{body}", b"abc" if body else b"", nginx.site_port)[0]
                right = (404, 405) if path in nowhere else (200, 404, 405)
                assert status in (*right, 400), (method, path[:40], status)
    for path in ("/", "/index.html"):
        assert nginx.ask(f"GET {path} HTTP/1.1\n", port=nginx.site_port)[0] == 200
        assert nginx.ask(f"POST {path} HTTP/1.1\nContent-Length: 0\n", port=nginx.site_port)[0] == 405


def every_prefix_of_the_server_address_works(nginx):
    for prefix in ("", "/", "/sync", "/anki", "/anki/", "/Sync", "/SYNC", "//", "/a/b/c", "/sync/sync", "/sync//", "/%61nki",
                   "/anki%20server", "/x/../y"):
        for method in ("meta", "applyChunk", "upload"):
            for query in ("", "?a=%41"):
                head = f"POST {prefix}/sync/{method}{query} HTTP/1.1\nContent-Length: 3\n"
                with socket.create_connection(("127.0.0.1", nginx.site_port), 20) as connection:
                    connection.sendall(head.replace("\n", "\r\n").encode() + b"Host: x\r\nConnection: close\r\n\r\nabc")
                    answer = b""
                    while got := connection.recv(1 << 16):
                        answer += got
                lines = answer.decode().lower().split("\r\n")
                assert lines[0].split()[1] == "200", (prefix, method, lines[0])
                assert f"x-path: /sync/{method}".lower() in lines, (prefix, method, lines)
                assert "x-query: " + query[1:].lower() in lines, (prefix, method, lines)


def body_limits_apply_under_every_prefix(nginx):
    def answer(path, mib):
        body = b"x" * int(mib * 2**20)
        status, _, text = nginx.ask(f"POST {path} HTTP/1.1\nContent-Length: {len(body)}\n", body, nginx.site_port)
        return status, text

    for prefix in ("", "/sync", "/anki", "/Sync/", "//"):
        # The service accepts 1 MiB: bodies that nginx lets through get the service's own error.
        for method, limit in (("applyChunk", MESSAGE_MIB), ("upload", UPLOAD_MIB)):
            status, text = answer(f"{prefix}/sync/{method}", limit - 0.5)
            assert status == 413 and b"body_too_large" in text, (prefix, method, status)
        status, text = answer(f"{prefix}/sync/applyChunk", MESSAGE_MIB + 0.5)
        assert status == 413 and b"body_too_large" not in text, (prefix, status)
        status, text = answer(f"{prefix}/sync/upload", UPLOAD_MIB + 0.5)
        assert status == 200 and b"larger than this server accepts" in text, (prefix, status)


def metrics_are_only_served_to_this_machine(nginx):
    # Also if an operator chooses an address that others can reach.
    assert nginx.ask("GET /metrics HTTP/1.1\n", port=nginx.metrics_port) == (200, True, b"metrics")
    assert nginx.ask("GET /headers HTTP/1.1\n", port=nginx.metrics_port)[0] == 404
    for prefix in ("", "/x/..", "/metrics/..", "/nowhere"):
        assert nginx.ask(f"GET {prefix}/metrics HTTP/1.1\n", port=nginx.site_port)[0] == 404, prefix
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; selects the address by which others see this machine
        address = probe.getsockname()[0]
    assert not address.startswith("127."), "this machine has no other address"
    assert nginx.ask("GET /metrics HTTP/1.1\n", port=nginx.metrics_port, address=address)[0] == 403


TESTS = [metrics_are_only_served_to_this_machine, no_path_is_answered_403, every_prefix_of_the_server_address_works, body_limits_apply_under_every_prefix,
         a_chunked_body_arrives_complete, an_unbuffered_chunked_body_arrives_complete,
         a_refused_upload_gets_its_answer_at_once, a_failed_answer_never_looks_complete, a_large_answer_is_complete,
         a_client_cannot_impersonate_nginx]


def main():
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None:
        print("no nginx")
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
