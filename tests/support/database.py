"""The installation's PostgreSQL as a test sees it: rows, and locks that hold a request of the server half-way.

    with Hold(url, "SELECT 1 FROM anki_sessions FOR UPDATE") as hold:
        ...                     # something sends a request
        blocked = hold.wait()   # it has come to the lock
    # let go

Works on psql, one process a session; statements travel on its standard input.
"""

import collections
import os
import signal
import subprocess

from promises import until

Blocked = collections.namedtuple("Blocked", "backend name")  # of the session; the server's end with their pid

_END = "--end-of-answer--"


class Session:
    """One connection. Answers are lists of lists of texts."""

    def __init__(self, url):
        self._psql = subprocess.Popen(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", url], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.backend = int(self.ask("SELECT pg_backend_pid()")[0][0])

    def ask(self, sql):
        """The rows of one or more statements."""
        self._psql.stdin.write(f"{sql};\n\\echo {_END}\n")
        self._psql.stdin.flush()
        lines = []
        for line in self._psql.stdout:
            if line.rstrip("\n") == _END:
                return [line.split("\t") for line in lines]
            lines.append(line.rstrip("\n"))
        raise RuntimeError(f"{sql}: " + "\n".join(lines))

    def number(self, sql):
        return int(self.ask(sql)[0][0])

    def close(self):
        self._psql.stdin.close()
        self._psql.wait()
        self._psql.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Hold(Session):
    """A transaction that holds the locks of `sql` until the end of the block, or until let_go()."""

    def __init__(self, url, sql):
        super().__init__(url)
        self.ask(f"BEGIN; {sql}")
        self._url = url

    def wait(self, count=1, name="syncline-", seconds=20):
        """Until `count` sessions of the server whose names begin so are stopped by these locks, or stand behind one
        that is. Returns them, the one that came first in front."""
        with Session(self._url) as observer:
            found = []

            def stopped():
                # "now" of a transaction is its begin; the server's lock graph is always the current one.
                nonlocal found
                found = [Blocked(int(backend), found_name) for backend, found_name in observer.ask(
                    f"WITH RECURSIVE stopped (pid) AS (SELECT {self.backend} UNION"
                    " SELECT a.pid FROM stopped s, pg_stat_activity a WHERE a.wait_event_type = 'Lock'"
                    " AND s.pid = ANY (pg_blocking_pids(a.pid)))"
                    " SELECT a.pid, a.application_name FROM stopped s JOIN pg_stat_activity a USING (pid)"
                    f" WHERE a.application_name LIKE '{name}%' ORDER BY a.query_start")]
                return len(found) >= count

            try:
                until(stopped, seconds)
            except AssertionError:
                seen = observer.ask("SELECT application_name, state, wait_event_type, wait_event, left(query, 80)"
                                    " FROM pg_stat_activity WHERE application_name LIKE 'syncline%'")
                raise AssertionError(f"{count} requests were to stop at the lock: {seen}") from None
            return found

    def let_go(self):
        self.ask("ROLLBACK")

    def abandon(self):
        """After PostgreSQL was killed: there is nobody left to talk to."""
        self._psql.kill()
        self._psql.communicate()


class HoldCommits(Session):
    """Holds every transaction that has written to disk and committed, before anybody is told: as if a standby had to
    confirm it. Needs the superuser of an installation that is the test's own."""

    def __init__(self, url):
        super().__init__(url.replace("user=syncline", "user=postgres"))
        self._url = url
        self._standby("nobody")
        # The checkpointer tells everybody, some time after the signal: until a commit of ours is held.
        self._probe = None
        until(self._is_probe_held)

    def wait(self, count=1, name="syncline-", seconds=20):
        """Until `count` commits of sessions whose names begin so are held; returns those sessions."""
        return until(lambda: found if len(found := self._held(name)) >= count else None, seconds)

    def let_go(self):
        self._standby("")
        self._probe.wait()

    def __exit__(self, *_):
        self.let_go()
        self.close()

    def _standby(self, name):
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.ask("SELECT pg_reload_conf()")

    def _held(self, name):
        return [Blocked(int(backend), found) for backend, found in self.ask(
            "SELECT pid, application_name FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            f" AND application_name LIKE '{name}%' ORDER BY query_start")]

    def _is_probe_held(self):
        if self._probe is None or self._probe.poll() is not None:
            self._probe = subprocess.Popen(
                ["psql", "-Xq", self._url, "-c", "CREATE TABLE probe (); DROP TABLE probe"],
                env={**os.environ, "PGAPPNAME": "probe"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return bool(self._held("probe"))


def wait_until_gone(url, backend, seconds=20):
    """Until the session has ended: what it was about to do is done by then, or never will be."""
    with Session(url) as observer:
        until(lambda: observer.ask(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend}") == [["0"]], seconds,
              f"backend {backend} ends")


def kill(pid):
    os.kill(pid, signal.SIGKILL)
