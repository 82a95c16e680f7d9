"""Access to the installation's PostgreSQL for tests: rows, and locks that hold a request of the server half-way.

    with Hold(url, "SELECT 1 FROM anki_sessions FOR UPDATE") as hold:
        ...                     # something sends a request
        blocked = hold.wait()   # it has reached the lock
    # released

Uses psql, one process per session; statements are written to its standard input.
"""

import collections
import os
import signal
import subprocess

from promises import until

Blocked = collections.namedtuple("Blocked", "backend name")  # pid and name of a session; the server's names end with its pid
_END = "--end-of-answer--"


def writers(table):
    """The lock that blocks whoever writes into the table."""
    return f"LOCK TABLE {table} IN SHARE MODE"


def everybody(table):
    """The lock that blocks readers, too."""
    return f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"


class Session:
    """One connection. Answers are lists of rows, each a list of strings."""

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
    """A transaction that holds the locks taken by `sql` until the end of the block, or until let_go()."""

    def __init__(self, url, sql):
        super().__init__(url)
        self.ask(f"BEGIN; {sql}")
        self._url = url

    def wait(self, count=1, name="syncline-", seconds=20):
        """Waits until `count` sessions whose names begin with `name` are blocked by these locks, directly or behind
        another blocked session. Returns them in the order in which they began to wait."""
        with Session(self._url) as observer:
            found = []

            def stopped():
                # now() of a transaction is its start; the lock graph is always current.
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
                raise AssertionError(f"fewer than {count} requests are waiting for the lock: {seen}") from None
            return found

    def let_go(self):
        self.ask("ROLLBACK")

    def abandon(self):
        """For use after PostgreSQL was killed: ends psql without a ROLLBACK."""
        self._psql.kill()
        self._psql.communicate()


class HoldCommits(Session):
    """Holds every transaction that has written, between its commit on disk and the report of it, as if a standby had to
    confirm it. Needs the superuser of the test's own installation."""

    def __init__(self, url):
        super().__init__(url.replace("user=syncline", "user=postgres"))
        self._url = url
        self._standby("nobody")
        # The checkpointer propagates the setting some time after the signal: wait until a commit of ours is held.
        self._probe = None
        until(self._is_probe_held)

    def wait(self, count=1, name="syncline-", seconds=20):
        """Waits until `count` commits of sessions whose names begin with `name` are held; returns those sessions."""
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
    """Waits until the session has ended: everything it was about to do is done by then, or never will be."""
    with Session(url) as observer:
        until(lambda: observer.ask(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend}") == [["0"]], seconds,
              f"backend {backend} ends")


def kill(pid):
    os.kill(pid, signal.SIGKILL)
