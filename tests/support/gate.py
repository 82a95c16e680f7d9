"""A proxy between client and server, at which a test may stop each request: before it is sent, or with its answer.

    gate.at("finish", lambda forward: ...)    # once; forward() sends the request and returns the answer

Passes the real client's bytes on unchanged. Left out on purpose: TLS, streaming (collections of tests are small).
"""

import http.client
import http.server
import threading
import urllib.parse


class Gate:
    """Listens at the URL `base`. `seen`: the methods received, in order."""

    def __init__(self, server):
        gate = self
        self._server = urllib.parse.urlsplit(server).netloc
        self._actions = {}
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = self._body()
                method = self.path.rsplit("/", 1)[1]
                gate.seen.append(method)
                action = gate._actions.pop(method, lambda forward: forward())
                try:
                    status, headers, data = action(lambda: gate._forward(self.path, self.headers, body))
                except Exception as e:  # pylint: disable=broad-except
                    gate.problem = e
                    status, headers, data = 500, {}, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _body(self):
                if self.headers.get("transfer-encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *_):
                pass

        self.problem = None
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._http.server_address[1]}/"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def at(self, method, action):
        """Passes the next request with this method to action(forward)."""
        self._actions[method] = action

    def is_done(self):
        """Whether every action has been used; re-raises an exception of an action."""
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem
        return not self._actions

    def clear(self):
        self._actions.clear()
        self.seen.clear()

    def close(self):
        self._http.shutdown()
        self._http.server_close()

    def _forward(self, path, headers, body):
        connection = http.client.HTTPConnection(self._server, timeout=60)
        try:
            connection.request("POST", path, body, {name: headers[name] for name in ("anki-sync", "content-type")
                                                    if name in headers})
            answer = connection.getresponse()
            kept = {name: value for name, value in answer.getheaders()
                    if name.lower() in ("anki-original-size", "content-type", "retry-after")}
            return answer.status, kept, answer.read()
        finally:
            connection.close()
