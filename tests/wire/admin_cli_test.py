"""syncline-admin as an operator uses it, on a running installation; SYNCLINE_ADMIN is the command (see <dir>/env).

The password prompt runs on a real pseudo terminal. Nothing here restarts anything.
"""

import os
import pathlib
import pty
import secrets
import select
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from anki_wire import Wire  # noqa: E402
from database import Session  # noqa: E402

ADMIN = os.environ.get("SYNCLINE_ADMIN", "").split()
PASSWORD = "correct horse 7"


def admin(*arguments, stdin=""):
    """Returns the exit code, standard output, and standard error without log lines."""
    done = subprocess.run([*ADMIN, *arguments], input=stdin, capture_output=True, text=True, timeout=60, start_new_session=True)
    errors = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("ts="))
    return done.returncode, done.stdout, errors


class OnTerminal:
    """The command on its own terminal, driven like by a user."""

    def __init__(self, *arguments):
        try:
            self.pid, self.fd = pty.fork()
        except OSError as problem:  # for example in a chroot without devpts
            raise unittest.SkipTest(f"no pseudo terminal is available: {problem}") from problem
        if self.pid == 0:
            os.execvp(ADMIN[0], [*ADMIN, *arguments])
        self.seen = ""

    def wait_for(self, text):
        """Waits for `text` after the text found by the last call; returns what came before it."""
        deadline = time.monotonic() + 30
        while text not in self.seen:
            if not select.select([self.fd], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            try:
                got = os.read(self.fd, 4096)
            except OSError:  # the other side has closed
                got = b""
            if not got:
                raise AssertionError(f"ended without {text!r}: {self.seen!r}")
            self.seen += got.decode()
        before, self.seen = self.seen.split(text, 1)
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        import termios
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    def end(self):
        """Returns the exit code (negative: the signal) and the remaining output."""
        try:
            while got := os.read(self.fd, 4096):
                self.seen += got.decode()
        except OSError:
            pass
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status), self.seen


class Admin(unittest.TestCase):
    def setUp(self):
        self.name = "cli-" + secrets.token_hex(6)
        self.addCleanup(admin, "user", "remove", "--yes", self.name)

    def add(self, *options):
        code, out, errors = admin("user", "add", self.name, "--password-file", "-", *options, stdin=PASSWORD + "\n")
        self.assertEqual((code, out, errors), (0, f"added {self.name}\n", ""))

    def row(self):
        """Our user's line in `user list`."""
        code, out, _ = admin("user", "list")
        self.assertEqual(code, 0)
        return next((line for line in out.splitlines() if line.startswith(self.name + " ")), None)

    def test_an_account_can_be_added_changed_and_removed(self):
        self.add("--admin", "--quota-mib", "5")
        self.assertRegex(self.row(), r"admin +enabled +0 +0 B +5.0 MiB +never$")
        self.assertEqual(admin("user", "disable", self.name.upper())[1], f"disabled {self.name}\n")
        self.assertRegex(self.row(), r"disabled")
        self.assertEqual(admin("user", "enable", self.name)[0], 0)
        self.assertEqual(admin("user", "quota", self.name, "unlimited")[0], 0)
        self.assertRegex(self.row(), r"enabled .* unlimited")
        code, out, _ = admin("user", "remove", "--yes", self.name)
        self.assertEqual((code, out), (0, f"removed {self.name} and 0 rows\n"))
        self.assertIsNone(self.row())

    def test_a_name_can_be_added_only_once(self):
        self.add()
        code, out, errors = admin("user", "add", self.name.upper(), "--password-file", "-", stdin=PASSWORD)
        self.assertEqual((code, out), (1, ""))
        self.assertEqual(errors, f"syncline-admin: there is a user {self.name.upper()} already")

    def test_a_failed_command_prints_one_sentence_and_exits_with_1(self):
        for arguments, stdin in (
            (("user", "disable", self.name), ""),
            (("user", "password", self.name, "--password-file", "-"), PASSWORD),
            (("device", "list", self.name), ""),
            (("user", "add", "a:b", "--password-file", "-"), PASSWORD),
            (("user", "add", self.name, "--password-file", "-"), "short"),
            (("user", "add", self.name, "--password-file", "-"), "x" * 2000),
            (("user", "add", self.name, "--password-file", "-"), "two\nlines and more\n"),
            (("user", "add", self.name, "--password-file", "/nonexistent"), ""),
            (("user", "add", self.name), ""),  # no terminal
        ):
            with self.subTest(arguments=arguments):
                code, out, errors = admin(*arguments, stdin=stdin)
                self.assertEqual((code, out), (1, ""))
                self.assertRegex(errors, r"\Asyncline-admin: [^\n]+\Z")
        self.assertIsNone(self.row())

    def test_a_usage_error_exits_with_2(self):
        for arguments in ((), ("user",), ("user", "add"), ("nonsense",), ("user", "add", self.name, "--quota-mib", "-1"),
                          ("user", "add", self.name, "--password", PASSWORD), ("user", "quota", self.name, "much")):
            with self.subTest(arguments=arguments):
                self.assertEqual(admin(*arguments)[0], 2)
        self.assertEqual(admin("--help")[0], 0)

    def test_a_plan_of_no_good_name_is_refused_in_a_sentence(self):
        for name in ("", "Premium", "2fast", "a b", "x" * 33, "план"):
            with self.subTest(name=name):
                code, out, errors = admin("plan", "set", name, "--max-decks", "1")
                self.assertEqual((code, out), (2, ""))
                self.assertIn("the name of a plan has up to 32 small letters", errors)
        code, _, errors = admin("plan", "name", "nobody", "x" * 101)
        self.assertEqual((code, errors), (2, "syncline-admin: a name has at most 100 characters"))
        self.assertNotRegex(admin("plan", "list")[1], "Premium|2fast|xxx")

    def test_the_password_is_asked_for_twice_and_never_shown(self):
        terminal = OnTerminal("user", "add", self.name)
        terminal.wait_for(f"Password for {self.name}: ")
        self.assertFalse(terminal.echoes())
        terminal.type(PASSWORD + "\n")
        between = terminal.wait_for("Again: ")
        terminal.type(PASSWORD + "\n")
        after = terminal.wait_for(f"added {self.name}")
        self.assertNotIn(PASSWORD, between + after)
        self.assertEqual(terminal.end()[0], 0)
        self.assertIsNotNone(self.row())

    def test_different_passwords_add_no_account(self):
        terminal = OnTerminal("user", "add", self.name)
        terminal.wait_for("Password")
        terminal.type(PASSWORD + "\n")
        terminal.wait_for("Again: ")
        terminal.type(PASSWORD + "?\n")
        terminal.wait_for("the two passwords differ")
        self.assertEqual(terminal.end()[0], 1)
        self.assertIsNone(self.row())

    def test_an_interrupt_restores_the_echo(self):
        terminal = OnTerminal("user", "add", self.name)
        terminal.wait_for("Password")
        terminal.type("\x03")
        terminal.wait_for("\n")
        code, _ = terminal.end()
        self.assertEqual(code, -signal.SIGINT)
        self.assertIsNone(self.row())
        terminal = OnTerminal("user", "add", self.name)
        terminal.wait_for("Password")
        os.kill(terminal.pid, signal.SIGTSTP)
        terminal.wait_for("\n")
        self.assertTrue(terminal.echoes())
        os.kill(terminal.pid, signal.SIGCONT)
        self.assertEqual(terminal.end()[0], 1)

    def test_removing_on_a_terminal_asks_for_the_name(self):
        self.add()
        terminal = OnTerminal("user", "remove", self.name)
        terminal.wait_for("go on: ")
        terminal.type("no\n")
        terminal.wait_for("nothing was removed")
        self.assertEqual(terminal.end()[0], 1)
        self.assertIsNotNone(self.row())
        terminal = OnTerminal("user", "remove", self.name)
        terminal.wait_for("go on: ")
        terminal.type(self.name + "\n")
        terminal.wait_for("removed")
        self.assertEqual(terminal.end()[0], 0)
        self.assertIsNone(self.row())

    def test_removing_without_a_terminal_needs_yes(self):
        self.add()
        code, out, errors = admin("user", "remove", self.name, stdin=self.name + "\n")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(errors, r"\Asyncline-admin: there is no terminal [^\n]+ --yes\Z")
        self.assertIsNotNone(self.row())

    def test_a_password_comes_from_a_file_and_is_in_no_argument(self):
        self.add()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("another horse 8\n")
            file.flush()
            os.chmod(file.name, 0o644)
            code, out, _ = admin("user", "password", self.name, "--password-file", file.name)
        self.assertEqual((code, out), (0, f"changed the password of {self.name}; 0 devices must log in again\n"))

    def test_devices_are_listed_and_revoked(self):
        self.add()
        self.assertEqual(admin("device", "list", self.name)[1], f"{self.name} has no devices\n")
        code, _, errors = admin("device", "revoke", self.name, "1")
        self.assertEqual((code, errors), (1, f"syncline-admin: {self.name} has no live device 1"))
        self.assertEqual(admin("device", "revoke", self.name, "one")[0], 2)
        self.assertEqual(admin("device", "revoke", self.name, "all")[1], f"revoked 0 devices of {self.name}\n")

    def test_problems_of_a_device_are_shown_only_to_the_operator(self):
        self.add()
        self.assertEqual(admin("anki", "problems", self.name)[:2], (0, f"No problems of {self.name} are known.\n"))
        wire = Wire(os.environ["SYNCLINE_HTTP"]).log_in(self.name, PASSWORD)
        wire.ask("start", {"minUsn": 0, "lnewer": True})
        card = [77, 7, 1, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, "private"]
        wire.ask("applyChunk", {"chunk": {"done": True, "cards": [card]}})
        answer = wire.ask("sanityCheck2", {"client": [[0, 0, 0], 5, 0, 0, 0, 6, 1, 1]})
        wire.close()
        self.assertEqual(answer, {"status": "bad", "c": [[0, 0, 0], 5, 0, 0, 0, 6, 1, 1], "s": [[0, 0, 0], 1, 0, 0, 0, 6, 1, 1]})
        code, out, _ = admin("anki", "problems", self.name)
        self.assertEqual(code, 0)
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^20\d\d-.*  device \d+  26\.08\.1,c32cb291,linux$")
        self.assertEqual(lines[1], "  At the end of a sync the device and the server had different numbers of cards. Nothing of that"
                                   " sync was kept on either side.")
        self.assertIn("Check Database", lines[2])
        self.assertEqual(lines[3:], ["    differ: [cards]",
                                     "    client: {cards:5,notes:0,revlog:0,notetypes:6,decks:1,deck_configs:1}",
                                     "    server: {cards:1,notes:0,revlog:0,notetypes:6,decks:1,deck_configs:1}",
                                     "    generation: 1", "    usn: {server:0,client:0}",
                                     "    touched: {cards:{count:1,ids:[77]}}"])
        self.assertEqual(admin("anki", "problems", "nobody-" + self.name)[0], 1)

    def test_migrate_again_changes_nothing(self):
        self.assertEqual(admin("migrate")[:2], (0, "the schema is up to date\n"))

    def test_the_doctor_passes_this_installation_and_reports_faults(self):
        code, out, _ = admin("doctor")
        self.assertIn(code, (0, 1))  # another test may have left a job that failed for good
        for what in ("database", "schema", "clock", "worker", "sessions", "redis", "socket", "disk"):
            self.assertRegex(out, rf"(?m)^ok +{what} ")
        code, out, _ = admin("doctor", "--sockets", "/nonexistent", "--redis-url", "unix:///nonexistent",
                             "--temp-dir", "/nonexistent")
        self.assertEqual(code, 1)
        for what in ("redis", "socket", "disk"):
            self.assertRegex(out, rf"(?m)^PROBLEM +{what} .*; ")
        code, out, _ = admin("doctor", "--database-url", "postgresql:///none?host=/nonexistent")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"(?m)^PROBLEM +database .*start PostgreSQL")

    def test_the_doctor_reports_expired_sessions_that_are_not_swept(self):
        url = os.environ["DATABASE_URL"]
        name = "doctor_" + secrets.token_hex(6)  # a separate database, where no worker sweeps
        mine = url.replace("/syncline?", f"/{name}?")
        with Session(url) as server:
            server.ask(f"CREATE DATABASE {name} TEMPLATE template0")
            try:
                self.assertEqual(admin("migrate", "--database-url", mine)[0], 0)
                with Session(mine) as database:
                    self.watch_sessions(database, lambda: admin("doctor", "--database-url", mine)[1])
            finally:
                server.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def watch_sessions(self, database, doctor):
        self.assertRegex(doctor(), r"(?m)^ok +sessions +0 expired sessions of Anki, last swept: never$")
        database.ask("INSERT INTO users (name, password_hash) SELECT 'gone' || n, 'none' FROM generate_series(1, 3) n;"
                     " INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn,"
                     "   client_is_newer, to_send, expires_at)"
                     " SELECT user_id, 'gone', 1, 1, 0, true, 0, now() + (user_id - 1.5) * interval '1 hour' FROM users")
        self.assertRegex(doctor(), r"(?m)^PROBLEM +sessions +1 expired session of Anki, last swept: never; "
                                   r".*jobs list --kind anki\.sweep_sessions$")
        # The next sweep is not overdue yet.
        database.ask("INSERT INTO jobs (kind, args, priority, state, run_at, turn, finished_at)"
                     " VALUES ('anki.sweep_sessions', '{}', 0, 'done', now(), 0, now() - interval '6 minutes')")
        self.assertRegex(doctor(), r"(?m)^ok +sessions +1 expired session of Anki, last swept: 20")
        database.ask("UPDATE jobs SET finished_at = finished_at - interval '1 hour'")
        self.assertRegex(doctor(), r"(?m)^PROBLEM +sessions +1 expired session of Anki, last swept: 20")

    def test_an_unreachable_database_is_one_sentence(self):
        code, out, errors = admin("user", "list", "--database-url", "postgresql:///none?host=/nonexistent")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(errors, r"\Asyncline-admin: the database cannot be reached: [^\n]+\Z")


def main():
    if not ADMIN:
        print("set SYNCLINE_ADMIN to the command that administers a running installation (see <dir>/env)")
        return 1
    result = unittest.TextTestRunner(verbosity=1).run(unittest.defaultTestLoader.loadTestsFromTestCase(Admin))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
