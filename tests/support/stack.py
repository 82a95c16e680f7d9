"""A separate installation for a test that kills things: PostgreSQL, Redis, nginx, the pools and the worker.

    with Stack() as stack:
        stack.add_user("alice", "secret")
        pid = stack.kill("api")           # SIGKILL of one process; the supervisor starts another
        stack.wait_for_another("api", pid)

The programs come from SYNCLINE_BIN, or from build/. When it stops, its logs go to SYNCLINE_LOGS, where ./check looks
for routes and statements. Left out on purpose: building anything.
"""

import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_ports(count):
    """Ports that nobody uses, each another one: all are held until all are found."""
    with contextlib.ExitStack() as probes:
        sockets = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in sockets:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in sockets]


class Stack:
    """`settings`: additional settings of the server, such as {"SYNCLINE_SESSION_MINUTES": "1"}."""

    def __init__(self, settings=None):
        # No test asks a real upstream.
        self.settings = {"SYNCLINE_ANIME_JIKAN_URL": "http://127.0.0.1:9/v4", **(settings or {})}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="syncline-test.", dir="/tmp"))
        self.port, self.http_port = free_ports(2)
        self.env = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        logs = os.environ.get("SYNCLINE_LOGS")
        if logs:
            shutil.copytree(self.dir / "log", pathlib.Path(logs) / self.dir.name, dirs_exist_ok=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _run(self, *options):
        programs = os.environ.get("SYNCLINE_BIN", str(ROOT / "build"))
        command = [str(ROOT / "run"), "--dir", str(self.dir), "--bin", programs, "--no-install"]
        command += ["--port", str(self.port), "--http-port", str(self.http_port), *options]
        done = subprocess.run(command, env={**os.environ, **self.settings}, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"./run {' '.join(options)} failed:\n{done.stdout}")

    def start(self):
        """Returns when /readyz answers 200. After a stop, starts on the same data."""
        self._run("--detach")
        words = shlex.split((self.dir / "env").read_text())
        self.env = dict(word.split("=", 1) for word in words)
        self.http, self.https, self.ca = (self.env["SYNCLINE_" + name] for name in ("HTTP", "HTTPS", "CA"))

    def stop(self):
        self._run("--stop")

    def admin(self, *arguments, stdin=""):
        """Runs syncline-admin and returns what it printed."""
        done = subprocess.run([self.env["SYNCLINE_ADMIN"], *arguments], input=stdin, text=True, check=False,
                              env={**os.environ, **self.settings},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise RuntimeError(f"syncline-admin {' '.join(arguments)}: {done.stderr}")
        return done.stdout

    def add_user(self, name, password):
        self.admin("user", "add", name, "--password-file", "-", stdin=password + "\n")

    def pids(self, service):
        """{copy: pid} of a service: postgres, redis, worker, api, edge, transfer, large, nginx."""
        found = {}
        for path in (self.dir / "pids").glob(service + ".*"):
            copy = path.name[len(service) + 1:]
            if copy.isdigit():
                try:
                    found[int(copy)] = int(path.read_text().split()[0])
                except (FileNotFoundError, IndexError):
                    pass  # just replaced
        return found

    def kill(self, service, copy=1, sig=signal.SIGKILL):
        """Sends the signal and returns the pid."""
        pid = self.pids(service)[copy]
        os.kill(pid, sig)
        return pid

    @contextlib.contextmanager
    def without(self, service, sig=signal.SIGKILL):
        """Ends the only process of a service; it is started again, and the server ready, after the block."""
        supervisor = int((self.dir / "pids" / "supervise").read_text().split()[0])
        os.kill(supervisor, signal.SIGSTOP)  # otherwise it would be started again at once
        try:
            pid = self.kill(service, 1, sig)
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)
        self.wait_for_another(service, pid)
        self.wait_until_ready()

    def wait_for_another(self, service, pid, copy=1, seconds=20):
        """Waits until the copy runs with a pid other than `pid`."""
        end = time.monotonic() + seconds
        while self.pids(service).get(copy) in (None, pid):
            if time.monotonic() > end:
                raise RuntimeError(f"{service}.{copy} was not started again")
            time.sleep(0.01)

    def wait_until_ready(self, seconds=60):
        """Waits until /readyz answers 200, for example after PostgreSQL was killed."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.http_port), 5) as connection:
                    connection.sendall(b"GET /readyz HTTP/1.0\r\n\r\n")
                    if connection.recv(64).startswith(b"HTTP/1.1 200"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("/readyz does not answer 200")

    def restart_one_by_one(self, *services):
        """Sends SIGTERM to every process of the services, one after another, as an upgrade does."""
        for service in services:
            for copy in sorted(self.pids(service)):
                pid = self.kill(service, copy, signal.SIGTERM)
                self.wait_for_another(service, pid, copy, seconds=60)
