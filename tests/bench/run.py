#!/usr/bin/env python3
"""Compares the speed of Syncline with Anki's own server and prints one table of ratios and bars; see README.md.

    ./run --detach --dir DIR
    tests/bench/run.py --dir DIR [--rows NAME,...] [--quick]

Both servers get the same files, the same accounts and the same load generator (bench-load), alternating; the table has
the medians over all rounds. Account names are specific to this run; the accounts are removed from our server at the
end.

Left out on purpose: TLS, the network. Standard library only, except that the collections and the reference
server need the package `anki`, in the Python given by --python.
"""
import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import namedtuple
from pathlib import Path

import official_folder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from rest_wire import script_login  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PASSWORD = "bench-password"
START_LIMIT = 120  # seconds
MIB = 1 << 20

# Accounts of the same kind hold the same collection, uploaded when a row first needs them.
Kind = namedtuple("Kind", "collection most")
KINDS = {
    "small": Kind("small", 32),
    "large": Kind("large", 32),
    "full": Kind("large", 1),  # for uploads and downloads, so that the others keep their state
    "transfer": Kind("100mib", 1),
    "giant": Kind("1gib", 1),
    "media": Kind(None, 3),  # a new account for each round
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def process_memory(pid, key):
    """`key` of /proc/PID/status in bytes; 0 if the process has exited."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    return 0


def process_name(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except FileNotFoundError:
        return ""


# --- servers ----------------------------------------------------------------------------------------------------


class Server:
    """One of the two servers and its accounts. Subclasses create accounts and list the server's processes."""

    def __init__(self, bench, url):
        self.bench, self.url = bench, url
        self.keys = {kind: [] for kind in KINDS}

    def load(self, command, *arguments, accounts):
        return json.loads(self.bench.tool(command, self.url, *arguments, stdin="".join(accounts)))

    def accounts(self, kind, count):
        """The "NAME KEY" lines of `count` accounts that hold the collection of `kind`."""
        keys = self.keys[kind]
        if len(keys) < count:
            names, new = self.log_in(kind, len(keys), count)
            say(f"{self.title}: giving {len(names)} accounts the collection {KINDS[kind].collection}")
            self.give(KINDS[kind].collection, names, new)
            keys += new
        return keys[:count]

    def log_in(self, kind, first, end):
        """Creates accounts without a collection; returns their names and their "NAME KEY" lines."""
        names = [self.bench.name(kind, i) for i in range(first, end)]
        for name in names:
            self.add_user(name)
        logins = "".join(f"{name} {PASSWORD}\n" for name in names)
        return names, self.bench.tool("login", self.url, stdin=logins).splitlines(keepends=True)

    def settle(self):
        """Waits until the server has no background work left."""


class Reference(Server):
    title = "reference"

    def __init__(self, bench):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        super().__init__(bench, f"http://127.0.0.1:{port}")
        self.base = tempfile.mkdtemp(prefix="reference-", dir=bench.cache)
        self.process = None

    def start(self):
        bench = self.bench
        users = [bench.name(kind, i) for kind, (_, most) in KINDS.items() for i in range(most)]
        environment = {f"SYNC_USER{i}": f"{name}:{PASSWORD}" for i, name in enumerate(users, 1)}
        environment |= {"SYNC_BASE": self.base, "SYNC_HOST": "127.0.0.1",
                        "SYNC_PORT": self.url.rpartition(":")[2],
                        "MAX_SYNC_PAYLOAD_MEGS": "1000", "RUST_LOG": "error"}
        with open(bench.cache / "reference.log", "w") as log:
            self.process = subprocess.Popen([bench.python, "-m", "anki.syncserver"], env=os.environ | environment,
                                            stdout=log, stderr=log)
        limit = time.monotonic() + START_LIMIT
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > limit:
                sys.exit(f"the reference server does not start: see {bench.cache}/reference.log")
            time.sleep(0.05)

    def is_up(self):
        try:
            return urllib.request.urlopen(self.url + "/health", timeout=5).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def add_user(self, name):
        pass  # all users are given at its start

    def give(self, collection, names, keys):
        """Copies the files into place: uploading would take many seconds for each large one."""
        self.bench.profile(collection)
        for name in names:
            shutil.copy(self.bench.cache / f"{collection}.anki2", Path(self.base) / name / "collection.anki2")

    def processes(self):
        return {"reference": self.process.pid}

    def close(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.base, ignore_errors=True)


class Syncline(Server):
    title = "ours"

    def __init__(self, bench, directory):
        self.env = {}
        for line in (directory / "env").read_text().splitlines():
            for word in shlex.split(line, comments=True):
                key, _, value = word.partition("=")
                self.env[key] = value
        super().__init__(bench, self.env["SYNCLINE_HTTP"])
        self.added = []

    def admin(self, *arguments, stdin=""):
        command = shlex.split(self.env["SYNCLINE_ADMIN"]) + list(arguments)
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"syncline-admin {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def add_user(self, name):
        self.admin("user", "add", name, "--password-file", "-", stdin=PASSWORD + "\n")
        self.added.append(name)

    def give(self, collection, names, keys):
        self.load("upload", self.bench.packed(collection), accounts=keys)
        self.settle()

    def settle(self):
        """Waits until the worker has turned uploaded files into rows; returns the seconds that took."""
        begin = time.monotonic()
        while int(self.query("SELECT count(*) FROM jobs WHERE state IN ('queued', 'running')")):
            time.sleep(0.1)
        if int(self.query("SELECT count(*) FROM jobs WHERE state = 'dead'")):
            sys.exit("ours: a background job has failed for good; see the installation's logs")
        return time.monotonic() - begin

    def is_running(self, kind):
        return self.query(f"SELECT count(*) FROM jobs WHERE kind = '{kind}' AND state IN ('queued', 'running')") != "0"

    def is_importing(self):
        return self.is_running("anki.import")

    def query(self, sql):
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.env["DATABASE_URL"]], input=sql,
                              stdout=subprocess.PIPE, text=True, check=True)
        return done.stdout.strip()

    def processes(self):
        """Our own programs, without PostgreSQL, Redis and nginx."""
        files = (Path(self.env["SYNCLINE_DIR"]) / "pids").iterdir()
        return {file.name: int(file.read_text().split()[0]) for file in sorted(files)
                if file.name.partition(".")[0] in ("api", "edge", "transfer", "large", "worker")}

    def close(self):
        for name in self.added:
            self.admin("user", "remove", "--yes", name)


# --- the run ----------------------------------------------------------------------------------------------------


class Bench:
    """State shared by all rows: the two servers, the files, the rounds, and the lines of the table so far."""

    def __init__(self, options):
        self.options = options
        self.build, self.cache, self.python = options.build, options.cache, options.python
        self.rounds = 1 if options.quick else 3
        self.users = 8 if options.quick else 32
        self.run_name = f"bench{int(time.time()):x}"
        self.lines = []
        self.servers = []
        self.cache.mkdir(parents=True, exist_ok=True)

    def open(self):
        if self.options.only != "ours":
            self.servers.append(Reference(self))
            self.servers[0].start()
        if self.options.only != "reference":
            self.servers.append(Syncline(self, self.options.dir))

    def close(self):
        for server in self.servers:
            server.close()

    def name(self, kind, index):
        return f"{self.run_name}-{kind}-{index + 1:02}"

    def tool(self, *arguments, stdin=""):
        command = [str(self.build / "bench-load"), *map(str, arguments)]
        done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"bench-load {arguments[0]} failed")
        return done.stdout

    def profile(self, collection):
        if not (self.cache / f"{collection}.json").exists():
            say(f"making the collection {collection}")
            subprocess.run([self.python, HERE / "make_collections.py", self.cache, collection], check=True)
        return self.cache / f"{collection}.json"

    def packed(self, collection):
        self.profile(collection)
        path = self.cache / f"{collection}.anki2.zst"
        if not path.exists():
            self.tool("pack", self.cache / f"{collection}.anki2")
        return path

    def in_turns(self, measure, rounds=None):
        """Calls measure(server) for each server, round by round; returns the median of each key, by server title."""
        results = {server.title: [] for server in self.servers}
        for _ in range(rounds or self.rounds):
            for server in self.servers:
                results[server.title].append(measure(server))
        return {title: {key: statistics.median(result[key] for result in many) for key in many[0]}
                for title, many in results.items()}

    def line(self, row, unit, medians, key, bar, higher_is_better=False):
        """A line whose bar is a ratio of the two servers; more than 1 always means that ours is better."""
        ours, reference = (medians.get(title, {}).get(key) for title in ("ours", "reference"))
        ratio = None
        if ours and reference:
            ratio = ours / reference if higher_is_better else reference / ours
        verdict = "" if ratio is None else "ok" if ratio >= bar else "BELOW"
        self.add(row, unit, ours, reference, ratio, f">= {bar:g}", verdict)

    def limit_line(self, row, unit, ours, reference, bar, at_most):
        """A line whose bar is an absolute number, for our server only."""
        verdict = "" if ours is None else "ok" if (ours <= bar if at_most else ours >= bar) else "BELOW"
        self.add(row, unit, ours, reference, None, f"{'<=' if at_most else '>='} {bar:g} {unit}", verdict)

    def add(self, *line):
        self.lines.append(line)
        say("  " + format_line(line).strip())


WIDTHS = (44, 12, 12, 8, 14, 6)


def format_line(line):
    row, unit, ours, reference, ratio, bar, verdict = line
    number = lambda value: "n/a" if value is None else f"{value:.{0 if value >= 1000 else 2}f}"
    cells = (f"{row} [{unit}]" if unit else row, number(ours), number(reference),
             "" if ratio is None else f"{ratio:.2f}", bar, verdict)
    return "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS)) + " |"


def print_table(lines):
    titles = ("row", "ours", "reference", "ratio", "bar", "")
    print("| " + " | ".join(f"{title:<{width}}" for title, width in zip(titles, WIDTHS)) + " |")
    print("|" + "|".join("-" * (width + 2) for width in WIDTHS) + "|")
    for line in lines:
        print(format_line(line))


# --- rows -------------------------------------------------------------------------------------------------------


def normal_sync(bench, kind, bar):
    profile = bench.profile(KINDS[kind].collection)
    for cards, times in ((1, 100), (100, 50), (10_000, 5)):
        cards = min(cards, 1_000) if kind == "small" else cards
        times = max(times // 5, 2) if bench.options.quick else times
        medians = bench.in_turns(lambda server: server.load("sync", profile, cards, times,
                                                            accounts=server.accounts(kind, 1)))
        bench.line(f"normal sync, {cards} changed, {kind}", "ms", medians, "p50_ms", bar)


def many_users(bench, kind, cards, times, bar):
    profile = bench.profile(KINDS[kind].collection)
    times = max(times // 5, 2) if bench.options.quick else times
    users = bench.users
    medians = bench.in_turns(lambda server: server.load("sync", profile, cards, times,
                                                        accounts=server.accounts(kind, users)))
    row = f"{users} users, {cards} changed, {kind}"
    bench.line(row, "syncs/s", medians, "per_second", bar, higher_is_better=True)
    bench.line(f"{row}, p99", "ms", medians, "p99_ms", 1)
    for server in bench.servers:
        memory = sum(process_memory(pid, "VmRSS") for pid in server.processes().values())
        say(f"  {server.title}: {memory // MIB} MiB resident after {row}")


def full_sync(bench):
    packed = bench.packed("large")

    def upload(server):
        result = server.load("upload", packed, accounts=server.accounts("full", 1))
        waited = server.settle()
        if waited:
            say(f"  {server.title}: the rows of the upload were imported {waited:.1f} s later")
        return result

    def download(kind):
        return lambda server: server.load("download", accounts=server.accounts(kind, 1))

    bench.line("full upload, large", "ms", bench.in_turns(upload), "p50_ms", 1)
    bench.line("full download, large", "ms", bench.in_turns(download("full")), "p50_ms", 1)
    # A server that keeps the uploaded file can send it unchanged; after a sync it has to do more.
    profile = bench.profile("large")
    for server in bench.servers:
        server.load("sync", profile, 100, 1, accounts=server.accounts("full", 1))
    bench.line("full download after a sync, large", "ms", bench.in_turns(download("full")), "p50_ms", 1)


def after_upload(bench):
    """Syncs while the worker still imports the rows of a large upload, and the same syncs later. Our server only: the
    reference has nothing to import."""
    factor = None
    for server in bench.servers:
        if server.title != "ours":
            continue
        account, profile = server.accounts("full", 1), bench.profile("large")
        sync = lambda: server.load("sync", profile, 100, 10, accounts=account)["p50_ms"]
        ratios = []
        for _ in range(bench.rounds):
            server.load("upload", bench.packed("large"), accounts=account)
            soon = sync()
            if not server.is_importing():
                sys.exit("ours: the import was over before the syncs: nothing was measured")
            server.settle()
            later = sync()
            say(f"  ours: a sync takes {soon:.1f} ms right after an upload, {later:.1f} ms later")
            ratios.append(soon / later)
        factor = statistics.median(ratios)
    bench.limit_line("sync right after an upload, 100 changed, large", "x later", factor, None, 2, at_most=True)


CLONED = ("anki_collections", "anki_config", "anki_objects", "anki_tags", "anki_graves", "anki_changed", "anki_cards",
          "anki_notes", "anki_revlog", "blob_refs", "usage")

# Clones of an account's current collection, each with its own reference to the base file: the checks must find nothing
# wrong.
CLONE = """
INSERT INTO users (name, password_hash)
SELECT '{prefix}-clone-' || n, 'none' FROM generate_series(1, {count}) n;
CREATE TEMPORARY TABLE clones AS SELECT user_id AS clone FROM users WHERE name LIKE '{prefix}-clone-%';
CREATE TEMPORARY TABLE source AS SELECT user_id AS original FROM users WHERE name = '{name}';
DO $$
DECLARE
  part record;
  columns text;
BEGIN
  FOR part IN SELECT unnest('{{{tables}}}'::text[]) AS name LOOP
    SELECT string_agg(quote_ident(attname), ', ') INTO columns FROM pg_attribute
     WHERE attrelid = part.name::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'user_id';
    EXECUTE format('INSERT INTO %I (user_id, %s) SELECT clone, %s FROM clones, source, %I WHERE user_id = original',
                   part.name, columns, columns, part.name);
  END LOOP;
END
$$;
"""


def growth(bench):
    """Small syncs of one user before and after the database gets 2,000 more accounts, and while the nightly checks run
    over all of them. Our server only."""
    count = 100 if bench.options.quick else 2_000
    factors = {}
    for server in bench.servers:
        if server.title != "ours":
            continue
        account, profile = server.accounts("small", 1), bench.profile("small")

        def sync():
            return statistics.median(server.load("sync", profile, 1, 400, accounts=account)["p99_ms"]
                                     for _ in range(bench.rounds))

        before = sync()
        prefix, name = f"{bench.run_name}-growth", account[0].split()[0]
        try:
            say(f"ours: cloning {count} accounts")
            server.query(CLONE.format(prefix=prefix, name=name, count=count,
                                      tables=",".join(CLONED)))
            server.query("VACUUM ANALYZE " + ", ".join(CLONED))
            after = sync()
            # The worker looks for ticks every five seconds.
            server.query("UPDATE job_ticks SET tick_at = tick_at - interval '3 days'"
                         " WHERE kind IN ('anki.check', 'account.check_blobs')")
            while not server.is_running("anki.check"):
                time.sleep(0.1)
            during = sync()
            if not server.is_running("anki.check"):
                sys.exit("ours: the check was over before the syncs: nothing was measured")
            begin = time.monotonic()
            while server.is_running("anki.check"):
                time.sleep(0.5)
            say(f"  ours: sync p99 {before:.1f} ms before, {after:.1f} ms with {count} accounts more, {during:.1f} ms"
                f" during the checks, which took {time.monotonic() - begin:.0f} s more")
            factors = {"after": after / before, "during": during / after}
        finally:
            say("ours: removing the clones")
            for table in (*CLONED, "users"):
                server.query(f"DELETE FROM {table} WHERE user_id IN (SELECT user_id FROM users"
                             f" WHERE name LIKE '{prefix}-clone-%')")
    bench.limit_line("sync p99 with 2,000 more accounts", "x before", factors.get("after"), None, 1.5, at_most=True)
    bench.limit_line("sync p99 during the nightly checks", "x without", factors.get("during"), None, 2, at_most=True)


def meta_beside_upload(bench):
    packed = bench.packed("100mib")

    def measure(server):
        both = server.accounts("small", 1) + server.accounts("transfer", 1)
        idle = server.load("meta", 300, accounts=both)["p99_ms"]
        beside = server.load("meta", 0, packed, accounts=both)["p99_ms"]
        server.settle()
        return {"idle": idle, "beside": beside}

    medians = bench.in_turns(measure)
    factors = {title: result["beside"] / result["idle"] for title, result in medians.items()}
    for title, result in medians.items():
        say(f"  {title}: meta p99 {result['idle']:.2f} ms idle, {result['beside']:.2f} ms during an upload")
    bench.limit_line("meta p99 during a 100 MiB upload", "x idle", factors.get("ours"), factors.get("reference"), 2,
                     at_most=True)


def memory(bench):
    """The growth of the process that grew most, peak over start. Our server only: the reference holds the whole file,
    and takes a quarter of an hour for 1 GiB in the small pieces in which clients send it."""
    grown = {}
    for server in bench.servers:
        if server.title != "ours":
            continue
        # Before the measurement, because checking a password needs memory by design.
        names, account = server.log_in("giant", 0, 1)
        before = {}
        for name, pid in server.processes().items():
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the peak
            before[name] = process_memory(pid, "VmRSS")
        server.give("1gib", names, account)
        server.load("download", accounts=account)
        server.settle()
        grown = {name: (process_memory(pid, "VmHWM") - before[name]) / MIB
                 for name, pid in server.processes().items() if name in before}
        say("  " + ", ".join(f"{name} +{mib:.0f} MiB" for name, mib in grown.items()))
    bench.limit_line("memory while 1 GiB is uploaded and downloaded", "MiB", max(grown.values(), default=None), None,
                     64, at_most=True)


def media(bench):
    """Media files up, and down to a second device, with the real client: its own work is part of the times."""
    files = 1_000 if bench.options.quick else 10_000
    names = {server.title: [bench.name("media", n) for n in range(bench.rounds)] for server in bench.servers}

    def measure(server):
        name = names[server.title].pop()
        server.add_user(name)
        command = [bench.python, HERE / "media_client.py", server.url + "/", name, PASSWORD, str(files)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise RuntimeError("media_client.py failed")
        return json.loads(done.stdout)

    medians = bench.in_turns(measure)
    bench.line(f"media, {files:,} files of 10 KB, up", "ms", medians, "up_ms", 1)
    bench.line(f"media, {files:,} files of 10 KB, down", "ms", medians, "down_ms", 1)


def packages(bench):
    """A package of 50,000 notes with 5,000 pictures: imported into an empty collection and exported again. The reference is
    the real client on this machine, without a server. Ours is the answer to the request, and the job."""
    package = bench.cache / "package.apkg"
    tool = [bench.python, HERE / "packages.py"]
    if not package.exists():
        say("making the package")
        subprocess.run([*tool, "make", bench.cache], check=True)
    rounds = iter(range(1_000))

    def of_the_client(command):
        done = subprocess.run([*tool, command, package], stdout=subprocess.PIPE, check=True, text=True)
        return json.loads(done.stdout)["seconds"] * 1000

    def of_ours(server):
        name = bench.name("package", next(rounds))
        server.add_user(name)
        login = script_login(name, PASSWORD, server.url.rstrip("/"))

        def ask(path, body=None):
            request = urllib.request.Request(server.url + path, data=body, headers={
                "Authorization": login, "Content-Type": "application/octet-stream"})
            with urllib.request.urlopen(request, timeout=600) as answer:
                return answer.read()
        begin = time.monotonic()
        options = "with_scheduling=true&with_deck_configs=true"
        location = "/api/sync/import/" + json.loads(ask(f"/api/sync/import/?{options}", package.read_bytes()))["id"]
        while (state := json.loads(ask(location))["state"]) != "done":
            if state == "failed":
                raise RuntimeError(f"the import failed: {ask(location)}")
            time.sleep(0.02)
        imported = time.monotonic()
        exported = ask(f"/api/sync/export/?deck=Bench&{options}")
        if len(exported) < 5_000 * 10_000:
            raise RuntimeError("the exported package lacks pictures")
        return {"import_ms": (imported - begin) * 1000, "export_ms": (time.monotonic() - imported) * 1000}

    def measure(server):
        if server.title == "ours":
            return of_ours(server)
        return {"import_ms": of_the_client("import"), "export_ms": of_the_client("export")}

    medians = bench.in_turns(measure)
    bench.line("package, 50,000 notes, 5,000 files, import", "ms", medians, "import_ms", 0.4)
    bench.line("package, 50,000 notes, 5,000 files, export", "ms", medians, "export_ms", 0.4)


def adoption(bench):
    """Three users of an official server with 1 GB, of which one has a million reviews, taken over by syncline-admin. The
    reference is `cp -r` of the folder, and a sync of the disk. Memory is the peak of the command above its start."""
    server = next((server for server in bench.servers if server.title == "ours"), None)
    results = []
    made = bench.cache / "official"
    if server and not made.exists():
        say("making the folder of an official server")
        for name in ("large", "small"):
            bench.profile(name)
        official_folder.make(made, [bench.cache / f"{name}.anki2" for name in ("large", "small", "small")])

    def run(*command):
        """Seconds, and by how much the memory of the command grew, in bytes."""
        begin, start, peak = time.monotonic(), 0, 0
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            # The shell that starts the program has the same pid.
            if process_name(process.pid) == "syncline-admin":
                start = start or process_memory(process.pid, "VmRSS")
                peak = max(peak, process_memory(process.pid, "VmHWM"))
            time.sleep(0.005)
        if process.returncode != 0:
            raise RuntimeError(f"{command[0]} failed")
        return time.monotonic() - begin, peak - start

    for n in range(bench.rounds if server else 0):
        with tempfile.TemporaryDirectory(dir=bench.cache) as copy:
            copied, _ = run("sh", "-c", 'cp -r "$1" "$2" && sync -f "$2"', "cp", str(made), f"{copy}/official")
        with tempfile.TemporaryDirectory(dir=bench.cache) as folder:
            for user in range(official_folder.USERS):
                name = bench.name("adopted", n * official_folder.USERS + user)
                (Path(folder) / name).symlink_to(made / str(user))
                server.added.append(name)
            admin = shlex.split(server.env["SYNCLINE_ADMIN"])
            took, grown = run(*admin, "anki", "adopt", folder)
        results.append((took, copied, grown / MIB))
        say(f"  adoption {took:.1f} s, cp {copied:.1f} s, memory +{results[-1][2]:.0f} MiB")
    took, copied, grown = map(statistics.median, zip(*results)) if results else (None,) * 3
    bench.limit_line("adoption of 1 GB", "s", took, copied, 60, at_most=True)
    bench.limit_line("adoption of 1 GB, memory", "MiB", grown, None, 64, at_most=True)


def jobs(bench):
    """`bench-jobs` runs jobs of one millisecond on the installation's database and prints {"batched":N,"single":N}."""
    program = bench.build / "bench-jobs"
    ours = next((server for server in bench.servers if server.title == "ours"), None)
    rates = {}
    if program.exists() and ours:
        done = subprocess.run([program], env=os.environ | ours.env, stdout=subprocess.PIPE, text=True, check=True)
        rates = json.loads(done.stdout.splitlines()[-1])
    bench.limit_line("jobs with batches", "jobs/s", rates.get("batched"), None, 5_000, at_most=False)
    bench.limit_line("jobs without batches", "jobs/s", rates.get("single"), None, 1_000, at_most=False)


ROWS = {
    "memory": memory,  # first, before other rows make the processes grow
    "sync-small": lambda bench: normal_sync(bench, "small", 0.7),
    "sync-large": lambda bench: normal_sync(bench, "large", 1),
    "users-small": lambda bench: many_users(bench, "small", 1, 50, 1.5),
    "users-large": lambda bench: many_users(bench, "large", 100, 20, 3),
    "full": full_sync,
    "after-upload": after_upload,
    "meta": meta_beside_upload,
    "media": media,
    "packages": packages,
    "adoption": adoption,
    "jobs": jobs,
    "growth": growth,  # last: it leaves a database with much free space in it
}


def parse_options():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--dir", type=Path, default=os.environ.get("SYNCLINE_DIR", ROOT / "var"),
                         help="the directory of a detached ./run")
    options.add_argument("--rows", default=",".join(ROWS), help="some of: %(default)s")
    options.add_argument("--quick", action="store_true", help="one round, 8 users, fewer syncs: no reliable numbers")
    options.add_argument("--only", choices=("reference", "ours"), help="measure one server only")
    options.add_argument("--build", type=Path, default=ROOT / "build", help="directory with bench-load")
    options.add_argument("--cache", type=Path, default=ROOT / "build/bench", help="directory for the collections")
    options.add_argument("--python", default=sys.executable, help="a Python with the package anki")
    chosen = options.parse_args()
    chosen.rows = chosen.rows.split(",")
    if unknown := [row for row in chosen.rows if row not in ROWS]:
        options.error(f"no such row: {', '.join(unknown)}")
    return chosen


def stop(*_):
    """Exits through the `finally` of main, so that no process is left behind. `timeout` sends the signal twice."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit("stopped")


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, stop)
    bench = Bench(options)
    try:
        bench.open()
        for name in ROWS:
            if name in options.rows:
                say(name)
                ROWS[name](bench)
    finally:
        bench.close()
    print_table(bench.lines)
    if any(verdict == "BELOW" for *_, verdict in bench.lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
