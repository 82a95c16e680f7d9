#!/usr/bin/env python3
"""What every daemon does around its work: waits for the database, notifies systemd, exits.

Each test starts the programs of SYNCLINE_BIN (or build/) on a database that is unreachable, outdated, or that of
DATABASE_URL (see <dir>/env).
"""

import contextlib
import os
import pathlib
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
URL = os.environ.get("DATABASE_URL", "")
AWAY = "postgresql:///none?host=/nonexistent"
DAEMONS = ("syncline-fcgi", "syncline-worker")


class Daemon:
    """A daemon whose notifications to systemd go to this process."""

    def __init__(self, program, url):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="syncline-daemon."))
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(self.dir / "notify"))
        self.systemd.setblocking(False)
        self.socket = self.dir / "fcgi.sock"
        options = ["--socket", str(self.socket)] if program == "syncline-fcgi" else []
        self.process = subprocess.Popen(
            [str(BIN / program), *options], stderr=open(self.dir / "log", "wb"),
            env={**os.environ, "SYNCLINE_DATABASE_URL": url, "NOTIFY_SOCKET": str(self.dir / "notify"),
                 "SYNCLINE_SECRET_FILE": secret_file(self.dir)})
        self.seen = []

    def told(self):
        """All notifications to systemd so far."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.seen += self.systemd.recv(4096).decode().split("\n")
        return self.seen

    def status(self):
        """The last status text that systemd was told."""
        texts = [line for line in self.told() if line.startswith("STATUS=")]
        return texts[-1].removeprefix("STATUS=") if texts else ""

    def log(self):
        return (self.dir / "log").read_text()

    def leave(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextlib.contextmanager
def started(program, url):
    daemon = Daemon(program, url)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
            daemon.process.wait()
        daemon.systemd.close()


@contextlib.contextmanager
def new_database(name):
    """An empty database on the server of DATABASE_URL; yields its URL."""
    with Session(URL) as server:
        server.ask(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield URL.replace("/syncline?", f"/{name}?")
        finally:
            server.ask(f"DROP DATABASE {name} WITH (FORCE)")


def every_daemon_waits_for_the_database_and_exits_on_sigterm():
    for program in DAEMONS:
        with started(program, AWAY) as daemon:
            until(lambda: daemon.status().startswith("waiting: ") and "/nonexistent" in daemon.status(), what=program)
            until(lambda: "event=waiting_for_database" in daemon.log(), what=program)
            assert daemon.leave() == 0, program
            # Logged once, however often it has tried.
            assert daemon.log().count("event=waiting_for_database") == 1, program


def without_a_database_the_front_answers_and_the_worker_is_not_ready():
    with started("syncline-fcgi", AWAY) as daemon:
        until(lambda: "READY=1" in daemon.told())
        assert ask(daemon.socket, request("GET", "/healthz")).status == 200
        answer = ask(daemon.socket, request("POST", "/sync/meta"))
        assert answer.status == 503 and "retry-after" in answer.headers
        assert daemon.leave() == 0
        assert daemon.told()[-1] == "STOPPING=1"
    with started("syncline-worker", AWAY) as daemon:
        until(lambda: "event=waiting_for_database" in daemon.log())
        assert daemon.leave() == 0
        assert "READY=1" not in daemon.told()


def a_database_that_appears_later_is_used_without_a_restart():
    name = "later_" + secrets.token_hex(6)
    for program in DAEMONS:
        with started(program, URL.replace("/syncline?", f"/{name}?")) as daemon:
            until(lambda: "event=waiting_for_database" in daemon.log(), what=program)
            # Made under another name: it appears with its schema.
            with new_database(name + "_made") as url, Session(URL) as server:
                subprocess.run([BIN / "syncline-admin", "migrate", "--database-url", url], check=True, stdout=subprocess.DEVNULL)
                server.ask(f"ALTER DATABASE {name}_made RENAME TO {name}")
                try:
                    until(lambda: daemon.status() == "working" and "READY=1" in daemon.told(), what=program)
                    assert daemon.leave() == 0, program
                finally:
                    server.ask(f"ALTER DATABASE {name} RENAME TO {name}_made")


def every_daemon_waits_for_its_schema_says_so_and_goes_on_when_it_fits():
    def migrate(url):
        subprocess.run([BIN / "syncline-admin", "migrate", "--database-url", url], check=True, stdout=subprocess.DEVNULL)

    def spoil(url):
        with Session(url) as session:
            session.ask("UPDATE schema_migrations SET checksum = 'other' || checksum WHERE number = 1")

    def repair(url):
        with Session(url) as session:
            session.ask("UPDATE schema_migrations SET checksum = substr(checksum, 6) WHERE number = 1")

    for make_it_fit, why in ((migrate, "is missing: run syncline-admin migrate"), (repair, "differs from the one")):
        with new_database("old_" + secrets.token_hex(6)) as url, contextlib.ExitStack() as stack:
            if make_it_fit is repair:
                migrate(url)
                spoil(url)
            daemons = [stack.enter_context(started(program, url)) for program in DAEMONS]
            for daemon in daemons:
                until(lambda: why in daemon.status(), what=daemon.log())  # pylint: disable=cell-var-from-loop
                assert daemon.status().startswith("waiting: migration 0001_accounts "), daemon.status()
                assert daemon.log().count("event=waiting_for_schema") == 1, daemon.log()
            assert ask(daemons[0].socket, request("POST", "/sync/meta")).status == 503
            make_it_fit(url)
            for daemon in daemons:
                until(lambda: daemon.status() == "working", what=daemon.log())  # pylint: disable=cell-var-from-loop
            assert ask(daemons[0].socket, request("POST", "/sync/meta")).status != 503
            assert [daemon.leave() for daemon in daemons] == [0, 0]


def main():
    if not URL:
        print("set DATABASE_URL to a database of a running installation (see <dir>/env)")
        return 1
    return keep(every_daemon_waits_for_the_database_and_exits_on_sigterm,
                without_a_database_the_front_answers_and_the_worker_is_not_ready,
                a_database_that_appears_later_is_used_without_a_restart,
                every_daemon_waits_for_its_schema_says_so_and_goes_on_when_it_fits)


if __name__ == "__main__":
    sys.exit(main())
