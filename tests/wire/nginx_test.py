#!/usr/bin/env python3
"""The front behind a real nginx with our params: chunked bodies, refusals before the body was sent, answers that fail
half-way, and the paths of our site. Needs only nginx, openssl and wire-server; skipped without nginx."""

import pathlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import decompress  # noqa: E402
from stack import free_ports  # noqa: E402
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
    set_real_ip_from 127.0.0.1; real_ip_header X-Address;
    location = /network {{ return 200 "$syncline_network"; }}
  }}
}}
"""
# The real site, on a second port. wire-server serves all of its pools.
MESSAGE_MIB, UPLOAD_MIB = 2, 5


# A location as README tells to write one for large bodies of a service that wants to know who sends them.
TEST_LOCATION = """
    location /msync/test/ {{
        auth_request /internal/authorize;
        include {authorize};
        client_body_buffer_size    1m;
        client_max_body_size       128m;
        fastcgi_max_temp_file_size 256m;
        fastcgi_pass syncline_transfer;
    }}
"""


def site(directory, port, metrics, https, logins_over="https", hsts="max-age=31536000"):
    for pool in ("api", "edge", "transfer", "large", "realtime"):
        (directory / f"{pool}.sock").symlink_to("wire.sock")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                    "/CN=x", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"], check=True, capture_output=True)
    values = {"LISTEN_HTTP": f"127.0.0.1:{port}", "LISTEN_HTTPS": f"127.0.0.1:{https}", "SERVER_NAME": "_",
              "LISTEN_IPV6": "", "LISTEN_METRICS": metrics, "LOGINS_OVER": logins_over, "HSTS": hsts,
              "CERTIFICATE": directory / "cert.pem", "CERTIFICATE_KEY": directory / "key.pem", "SOCKETS": directory,
              "HTML": ROOT / "nginx/html", "ACCESS_LOG": directory / "access.log", "ERROR_LOG": directory / "error.log",
              "PARAMS": ROOT / "nginx/syncline_params", "AUTHORIZE": ROOT / "nginx/syncline_authorize",
              "DETAIL": ROOT / "nginx/syncline_detail", "CODE": ROOT / "nginx/syncline_code",
              "ERROR": ROOT / "nginx/syncline_error",
              "ADDON": ROOT / "nginx/syncline_addon",
              "CACHE": directory / "admitted",
              "UPLOAD_MIB": UPLOAD_MIB, "MESSAGE_MIB": MESSAGE_MIB}
    rendered = subprocess.run([ROOT / "nginx/render-site", ROOT / "nginx/site.conf.in",
                               *(f"{name}={value}" for name, value in values.items())],
                              check=True, text=True, stdout=subprocess.PIPE).stdout
    of_media = "    location /msync/ {"
    assert of_media in rendered
    return rendered.replace(of_media, TEST_LOCATION.format(authorize=values["AUTHORIZE"]) + of_media, 1)


class Nginx:
    def __init__(self, server):
        self.port, self.site_port, self.metrics_port, self.https_port = free_ports(4)
        self.dir = server.dir
        server.socket.chmod(0o666)
        server.dir.chmod(0o777)
        config = CONFIG.format(dir=server.dir, root=ROOT, port=self.port)
        config = config.rstrip().removesuffix("}") + site(server.dir, self.site_port, f"0.0.0.0:{self.metrics_port}", self.https_port) + "}\n"
        (server.dir / "nginx.conf").write_text(config)
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        self.process = subprocess.Popen([nginx, "-c", str(server.dir / "nginx.conf"), "-e", str(server.dir / "nginx.log")])
        wait_until(self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def answer(self, head, body=b"", port=None, source="127.0.0.1"):
        """Everything that the site sends until it closes the connection, as (first line, headers, body)."""
        port = port or self.site_port
        with socket.create_connection(("127.0.0.1", port), 20, source_address=(source, 0)) as connection:
            if port == self.https_port:
                context = ssl.create_default_context()
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                connection = context.wrap_socket(connection)
            connection.sendall(head.replace("\n", "\r\n").encode() + b"Host: x\r\nConnection: close\r\n\r\n" + body)
            data = b""
            try:
                while got := connection.recv(1 << 16):
                    data += got
            except ConnectionResetError:
                pass
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        return lines[0], {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:])}, body

    def stored(self):
        """Bytes of bodies that nginx holds in temporary files, unlinked ones included."""
        total = 0
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in children:
            for file in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if str(self.dir / "t1") in os.readlink(file):
                        total += os.stat(file).st_blocks * 512
                except OSError:
                    pass  # just closed
        return total

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
    answer = nginx.ask("GET /headers HTTP/1.1\nSyncline-User: 7\nSyncline_User: 8\nSYNCLINE-USER: 9\n"
                       "Syncline-Device: 1\nSyncline-Roles: 1\nSyncline-Authorize: on\nSyncline-Refusal: 403 x 0\n"
                       "Syncline-Arrived: 1\nSyncline-Handed-Over: 1\nSyncline-Scheme: https\n")
    assert answer[0] == 200, answer
    ours = [line for line in answer[2].decode().splitlines() if line.lower().startswith("syncline-")]
    assert [line.partition("=")[0] for line in ours] == ["syncline-scheme", "syncline-arrived", "syncline-seconds"], ours
    assert "syncline-arrived=1" not in ours and ours[0] == "syncline-scheme=http", ours
    forged = "Syncline-User: 8\nSyncline-Device: 1\nSyncline-Roles: 1\nSyncline-Seconds: 0\nSyncline-Authorize: on\n"
    line, _, _ = nginx.answer(f"POST /msync/test/begin HTTP/1.1\n{forged}Content-Length: 0\n")
    assert " 401 " in line, line
    line, _, body = nginx.answer(f"POST /msync/test/begin HTTP/1.1\nX-Token: right\n{forged}Content-Length: 0\n")
    assert " 200 " in line and b"user=7\n" in body and b"user=8" not in body, (line, body)


def the_authorizer_tells_who_sends_a_body(nginx):
    head = "POST /msync/test/begin HTTP/1.1\nX-Token: {}\nContent-Length: 3\n"
    line, _, body = nginx.answer(head.format("right"), b"abc")
    assert " 200 " in line and b"user=7\n" in body and b"syncline-user=7\n" in body, (line, body)
    assert b"syncline-device=1\n" in body and b"syncline-roles=0\n" in body, body
    for length in (100_000, 1 << 20):
        sent = b"x" * length
        for form, data in ((f"Content-Length: {length}", sent), ("Transfer-Encoding: chunked", chunked(sent))):
            line, _, _ = nginx.answer(f"POST /msync/test/begin HTTP/1.1\nX-Token: right\n{form}\n", data)
            assert " 200 " in line, (length, form, line)
    line, _, body = nginx.answer(head.format("admin"), b"abc")
    assert b"syncline-user=8\n" in body and b"syncline-roles=1\n" in body, body


def what_the_authorizer_refuses_keeps_its_status(nginx):
    for token, status in (("wrong", 401), ("busy", 503)):
        line, headers, body = nginx.answer(f"POST /msync/test/begin HTTP/1.1\nX-Token: {token}\nContent-Length: 3\n", b"abc")
        assert f" {status} " in line, (token, line)
        assert headers["x-request-id"], headers
        if token == "busy":
            assert headers["retry-after"] == "5" and b'"token_busy"' in body, (headers, body)
    for head, status in (("PUT /msync/test/begin", 405), ("POST /msync/x/y", 404)):
        line, headers, _ = nginx.answer(f"{head} HTTP/1.1\nContent-Length: 3\n", b"abc")
        assert f" {status} " in line, (head, line)
        assert status != 405 or headers["allow"] == "POST", headers


def a_body_of_an_unknown_sender_is_never_stored(nginx):
    for token in ("wrong", "busy", "right"):
        with socket.create_connection(("127.0.0.1", nginx.site_port), 20) as connection:
            connection.sendall(f"POST /msync/test/begin HTTP/1.1\r\nHost: x\r\nX-Token: {token}\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n7a1200\r\n".encode())
            try:
                connection.sendall(b"x" * 7_000_000)
            except (BrokenPipeError, ConnectionResetError):
                pass
            time.sleep(0.3)
            assert (nginx.stored() > 1_000_000) == (token == "right"), (token, nginx.stored())


def a_refused_client_that_waits_for_a_100_gets_none(nginx):
    waiting = "Expect: 100-continue\nContent-Length: 3\n"
    for head, status in (("POST /msync/test/begin HTTP/1.1\n", 401), ("POST /msync/test/begin HTTP/1.1\nX-Token: wrong\n", 401),
                         ("POST /msync/test/begin HTTP/1.1\nX-Token: busy\n", 417), ("PUT /msync/test/begin HTTP/1.1\n", 417)):
        line, _, _ = nginx.answer(head + waiting)
        assert f" {status} " in line, (head, line)
    line, _, rest = nginx.answer("POST /msync/test/begin HTTP/1.1\nX-Token: right\n" + waiting, b"abc")
    assert " 100 " in line and b" 200 OK" in rest, (line, rest)


def nobody_reaches_the_authorizer_from_outside(nginx):
    for path in ("/internal/authorize", "/internal%2fauthorize", "//internal/authorize", "/x/../internal/authorize",
                 "/internal/./authorize", "/sync/../internal/authorize", "/internal/authorize/", "/INTERNAL/authorize",
                 "/internal/authorize?x", "/%69nternal/authorize", "/refusals/too_large.zst"):
        for method in METHODS:
            line, headers, _ = nginx.answer(f"{method} {path} HTTP/1.1\nX-Token: right\nContent-Length: 0\n")
            assert line.split()[1] in ("404", "405"), (method, path, line)
            assert "syncline-user" not in headers, (method, path, headers)


def without_the_authorizer_clients_are_asked_to_come_again(nginx):
    edge = nginx.dir / "edge.sock"
    edge.unlink()
    try:
        line, headers, _ = nginx.answer("POST /msync/test/begin HTTP/1.1\nX-Token: right\nContent-Length: 3\n", b"abc")
        assert line.split()[1] in ("502", "503") and int(headers["retry-after"]) > 0, (line, headers)
    finally:
        edge.symlink_to("wire.sock")


def one_network_has_one_count(nginx):
    def network(address):
        return nginx.answer(f"GET /network HTTP/1.1\nX-Address: {address}\n", port=nginx.port)[2]
    assert network("2001:db8:0:1::1") == network("2001:db8:0:1:ffff:ffff:ffff:ffff") != network("2001:db8:0:2::1")
    assert len(network("2001:a0a:0:a::1")) == 8  # newlines in the address
    assert network("192.0.2.1") == network("::ffff:192.0.2.1") != network("192.0.2.2")
    assert network("127.0.0.1") == network("::1") == b""


def a_flood_of_logins_from_one_address_gets_429(nginx):
    head = "POST /sync/hostKey HTTP/1.1\nContent-Length: 0\n"
    for asked in range(1000):
        line, headers, body = nginx.answer(head, port=nginx.https_port, source="127.0.0.2")
        if " 200 " not in line:
            break
    assert asked >= 100, "a school must be able to log in"
    assert " 429 " in line and int(headers["retry-after"]) > 0 and b"try again" in body, (line, headers, body)
    for source in ("127.0.0.1", "127.0.0.3"):
        assert " 200 " in nginx.answer(head, port=nginx.https_port, source=source)[0], source


def one_key_holds_eight_uploads_and_24_messages(nginx):
    def head(method, key):
        return f'POST /sync/{method} HTTP/1.1\nanki-sync: {{"v":11,"k":"{key}","c":"x","s":"y"}}\nContent-Length: 3\n'
    open_ones = []
    try:
        for _ in range(8):
            one = socket.create_connection(("127.0.0.1", nginx.site_port), 20)
            one.sendall(head("upload", "1.a").replace("\n", "\r\n").encode() + b"Host: x\r\n\r\na")
            open_ones.append(one)
        time.sleep(0.3)
        line, headers, body = nginx.answer(head("upload", "1.a"), b"abc")
        assert " 200 " in line and b"too many requests" in decompress(body, int(headers["anki-original-size"])), (line, body)
        line, headers, _ = nginx.answer(head("download", "1.a"), b"abc")
        assert " 429 " in line and int(headers["retry-after"]) > 0, line
        for _ in range(16):
            assert " 200 " in nginx.answer(head("applyChunk", "1.a"), b"abc")[0]
            one = socket.create_connection(("127.0.0.1", nginx.site_port), 20)
            one.sendall(head("applyChunk", "1.a").replace("\n", "\r\n").encode() + b"Host: x\r\n\r\na")
            open_ones.append(one)
            time.sleep(0.02)
        time.sleep(0.3)
        line, headers, _ = nginx.answer(head("applyChunk", "1.a"), b"abc")
        assert " 429 " in line and int(headers["retry-after"]) > 0, line
        for method, key in (("meta", "1.a"), ("upload", "1.b"), ("applyChunk", "1.b")):
            assert nginx.answer(head(method, key), b"abc")[2] == b"abc", (method, key)
    finally:
        for one in open_ones:
            one.close()


def one_network_holds_twelve_streams_of_events(nginx):
    head = "GET /jobs/1/events HTTP/1.1\nContent-Length: 3\n"
    open_ones = []
    try:
        for _ in range(12):
            one = socket.create_connection(("127.0.0.1", nginx.site_port), 20, ("127.0.0.2", 0))
            one.sendall(head.replace("\n", "\r\n").encode() + b"Host: x\r\n\r\na")
            open_ones.append(one)
        wait_until(lambda: " 429 " in nginx.answer(head, b"abc", source="127.0.0.2")[0])
        assert " 429 " not in nginx.answer(head, b"abc", source="127.0.0.3")[0]
    finally:
        for one in open_ones:
            one.close()


def passwords_are_refused_over_plain_http(nginx):
    head = "POST /anki/sync/hostKey HTTP/1.1\nContent-Length: 0\n"
    line, _, _ = nginx.answer(head)
    assert " 426 " in line and "https://" in line, line
    assert " 200 " in nginx.answer(head, port=nginx.https_port)[0]
    assert " 200 " in nginx.answer("POST /sync/meta HTTP/1.1\nContent-Length: 0\n")[0]


def webdav_is_refused_over_plain_http_without_a_redirect(nginx):
    """A redirected PUT comes back without its body, and its client says that all is well."""
    for method in ("PUT", "HEAD", "PROPFIND", "OPTIONS"):
        line, headers, body = nginx.answer(f"{method} /dav/aula-3/cordiax_sync/cordiax.db HTTP/1.1\nContent-Length: 0\n")
        assert " 403 " in line and "location" not in str(headers).lower(), (line, headers)
        assert method == "HEAD" or b"https" in bytes(body), body
    assert " 403 " not in nginx.answer("OPTIONS /dav/aula-3/ HTTP/1.1\n", port=nginx.https_port)[0]


def hsts_is_sent_over_https_only(nginx):
    for path, status in (("/", 200), ("/nowhere", 404), ("/healthz", 404)):
        line, headers, _ = nginx.answer(f"GET {path} HTTP/1.1\n", port=nginx.https_port)
        assert f" {status} " in line and headers["strict-transport-security"] == "max-age=31536000", (path, line, headers)
        assert "strict-transport-security" not in nginx.answer(f"GET {path} HTTP/1.1\n")[1], path


def a_refused_upload_is_a_text_that_clients_read(nginx):
    """In a frame, or plain for clients of before version 11, which have no header."""
    size = (UPLOAD_MIB + 1) << 20
    for head, sent in ((f"Content-Length: {size}", b""), ("Transfer-Encoding: chunked", chunked(b"x" * size))):
        line, headers, body = nginx.answer(f"POST /sync/upload HTTP/1.1\nanki-sync: {{}}\n{head}\n", sent)
        assert " 200 " in line, line
        text = decompress(body, int(headers["anki-original-size"]))
        assert text == b"Your collection is larger than this server accepts.", text
        line, headers, body = nginx.answer(f"POST /sync/upload HTTP/1.1\n{head}\n", sent)
        assert " 200 " in line and "anki-original-size" not in headers, (line, headers)
        assert body == text + b"\n", body


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


TESTS = [the_authorizer_tells_who_sends_a_body, what_the_authorizer_refuses_keeps_its_status,
         a_body_of_an_unknown_sender_is_never_stored, a_refused_client_that_waits_for_a_100_gets_none,
         nobody_reaches_the_authorizer_from_outside, without_the_authorizer_clients_are_asked_to_come_again,
         one_network_has_one_count, a_flood_of_logins_from_one_address_gets_429, one_key_holds_eight_uploads_and_24_messages,
         one_network_holds_twelve_streams_of_events,
         passwords_are_refused_over_plain_http, webdav_is_refused_over_plain_http_without_a_redirect, hsts_is_sent_over_https_only,
         a_refused_upload_is_a_text_that_clients_read, metrics_are_only_served_to_this_machine, no_path_is_answered_403, every_prefix_of_the_server_address_works, body_limits_apply_under_every_prefix,
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
