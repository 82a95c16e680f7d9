"""Rules of the layout, checked in the tree: directions of includes, files a folder may hold, where SQL is.

Each check is a function that yields complaints; its name is the rule. It looks at the files of `git ls-files`.
"""

import ast
import pathlib
import re
import subprocess
import sys

from complaints import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = [ROOT / name for name in subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                                cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
         if name and (ROOT / name).is_file()]
# Every other folder in handlers/ is a service.
PROGRAMS = ("jobs", "realtime", "admin")
SERVICES = sorted({path.relative_to(ROOT).parts[1] for path in FILES
                   if path.parts[len(ROOT.parts)] == "handlers" and len(path.relative_to(ROOT).parts) > 2} - {"base", *PROGRAMS})
# The rooms a room may include from, besides itself.
INCLUDES = {
    "sql": (),
    "handlers/base": ("sql",),
    **{f"handlers/{service}": ("handlers/base", "handlers/account", "sql") for service in SERVICES},
    # Decks go into collections, by the functions that the package room has for other services.
    "handlers/decks": ("handlers/base", "handlers/account", "handlers/anki", "sql"),
    # The list of services, which the programs share.
    "handlers": ("handlers/base", "handlers/jobs", *(f"handlers/{service}" for service in SERVICES)),
    **{room: ("handlers", "handlers/base", "sql", "handlers/jobs", *(f"handlers/{service}" for service in SERVICES))
       for room in ("handlers/jobs", "handlers/realtime", "handlers/admin", "fcgi")},
}
# A service with more than about twenty files has rooms. For each room: the rooms of its service it may include from,
# besides the service's settings.h. Files in the service's own folder (routes, jobs, handlers) may include from all
# rooms.
ROOMS = {
    "handlers/account/login": (),
    "handlers/account/tokens": ("handlers/account/login",),
    "handlers/decks/dialect": (),
    "handlers/decks/catalogue": ("handlers/decks/dialect",),
    "handlers/decks/cards": ("handlers/decks/dialect", "handlers/decks/catalogue"),
    "handlers/decks/publishing": ("handlers/decks/dialect", "handlers/decks/catalogue", "handlers/decks/cards"),
    "handlers/decks/files": ("handlers/decks/dialect", "handlers/decks/catalogue", "handlers/decks/cards"),
    "handlers/decks/reading": ("handlers/decks/dialect", "handlers/decks/catalogue", "handlers/decks/cards",
                               "handlers/decks/publishing", "handlers/decks/files"),
    "handlers/decks/delivery": ("handlers/decks/dialect", "handlers/decks/catalogue", "handlers/decks/cards",
                                "handlers/decks/publishing", "handlers/decks/files"),
    "handlers/vault/content": (),
    "handlers/vault/tree": ("handlers/vault/content",),
    "handlers/vault/versions": ("handlers/vault/content", "handlers/vault/tree"),
    "handlers/vault/engineio": (),
    "handlers/vault/socketio": ("handlers/vault/content", "handlers/vault/tree", "handlers/vault/versions", "handlers/vault/engineio"),
    "handlers/vault/webdav": ("handlers/vault/content", "handlers/vault/tree", "handlers/vault/versions"),
    "handlers/anki/envelope": (),
    "handlers/anki/objects": (),
    "handlers/anki/collection": ("handlers/anki/objects",),
    "handlers/anki/media": (),
    "handlers/anki/file": ("handlers/anki/objects", "handlers/anki/collection"),
    "handlers/anki/restore": ("handlers/anki/objects", "handlers/anki/collection", "handlers/anki/file", "handlers/anki/media"),
    "handlers/anki/package": ("handlers/anki/objects", "handlers/anki/collection", "handlers/anki/file", "handlers/anki/media"),
    "handlers/anki/moving": ("handlers/anki/objects", "handlers/anki/collection", "handlers/anki/file", "handlers/anki/media"),
    "handlers/schedule/lessons": (),
    "handlers/schedule/reading": ("handlers/schedule/lessons",),
    "handlers/schedule/calendar": ("handlers/schedule/lessons", "handlers/schedule/reading"),
    "handlers/schedule/pages": ("handlers/schedule/lessons",),
    # The calendar knows the time zone.
    "handlers/schedule/runs": ("handlers/schedule/lessons", "handlers/schedule/pages", "handlers/schedule/calendar"),
}
# Every service, and every room of one, holds the same kinds of file (README, "A service"); exceptions are listed with a
# reason.
KINDS = re.compile(r"(README\.md|(service|routes|settings|jobs|checks)\.(h|cpp)|\w+_(handlers|store|wire|rules|flow)(_\w+)?\.(h|cpp))$")
OTHER_FILES = {
    "handlers/account": {
        "api_dialect.h": "a dialect that other services use, too", "api_dialect.cpp": ""},
    "handlers/account/login": {
        "password.h": "the bound on concurrent hashes is a resource, not a store", "password.cpp": "",
        "known_keys.h": "a cache in the process, not a store", "known_keys.cpp": "",
        "known_passwords.h": "a cache in the process, not a store", "known_passwords.cpp": ""},
    "handlers/account/tokens": {
        "key_ring.h": "a cache in the process, not a store", "key_ring.cpp": "",
        "known_tokens.h": "a cache in the process, not a store", "known_tokens.cpp": ""},
    "handlers/anime": {
        "jikan.h": "the client of the upstream, not a procedure over our data", "jikan.cpp": ""},
    "handlers/anki/objects": {
        "schema18.proto": "the messages in the columns of schema 18"},
    "handlers/anki/package": {
        "package.proto": "the messages in a package"},
    "handlers/anki/envelope": {
        "answer.h": "the envelope of every message and answer, whatever the resource", "answer.cpp": ""},
}
HEADINGS = ("## Calls", "## The life of", "## Limits", "## Error codes")
TEXT = {".cpp", ".h", ".sql", ".py", ".sh", ".md", ".txt", ".cmake", ".in", ".conf", ".service", ".socket", ".target", ".html",
        ".css", ".js", ".svg", ".case", ".proto", ""}


def name(path):
    return str(path.relative_to(ROOT))


def of(*suffixes):
    return [path for path in FILES if path.suffix in suffixes]


def room_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "handlers" and len(parts) > 2 else parts[0]


def folder_of(path):
    return path.rpartition("/")[0]


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda found: "\n" * found.group().count("\n"), text, flags=re.S)


def includes_go_one_way():
    for path in of(".cpp", ".h"):
        room = room_of(name(path))
        if room not in INCLUDES:
            continue
        for line, text in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'#include "([^"]+)"', text)
            if not found or found[1].endswith(".pb.h"):
                continue
            target = room_of(found[1])
            if target != room and target not in INCLUDES[room]:
                yield f"{name(path)}:{line}: {room} must not include {found[1]}"
            inner, inner_target = folder_of(name(path)), folder_of(found[1])
            is_settings = found[1] == f"{room}/settings.h"
            if target == room and inner in ROOMS and inner_target not in (inner, *ROOMS[inner]) and not is_settings:
                yield f"{name(path)}:{line}: {inner} must not include {found[1]}"
        if room != "fcgi" and re.search(r"#include <fcgi", path.read_text()):
            yield f"{name(path)}: only fcgi/ includes libfcgi"


def only_sql_knows_the_libraries_of_postgresql():
    for path in of(".cpp", ".h"):
        # Tests access the database without the code under test.
        if room_of(name(path)) not in ("sql", "tests") and re.search(r"#include <(libpq|pqxx)", path.read_text()):
            yield f"{name(path)}: only sql/ includes libpq and libpqxx"


def service_folders_hold_only_the_known_kinds_of_file():
    for path in FILES:
        folder, file = str(path.parent.relative_to(ROOT)), path.name
        if folder.startswith("handlers/") and folder.split("/")[1] in SERVICES:
            if folder.count("/") > 1 and folder not in ROOMS:
                yield f"{folder}: a room that ROOMS does not know"
            if not KINDS.fullmatch(file) and file not in OTHER_FILES.get(folder, {}):
                yield f"{name(path)}: none of service, routes, settings, jobs, checks, handlers, store, wire, rules, flow, README.md"


def sql_stands_in_files():
    statement = re.compile(r'"\s*(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|WITH\s+\w+\s+AS|'
                           r"LISTEN\s|COPY\s+\w+)", re.I)
    for path in of(".cpp", ".h"):
        room = name(path).split("/")[0]
        if room not in ("fcgi", "handlers", "sql") or re.search(r"handlers/anki/(file/file|moving/official_server)_wire\w*\.cpp$", name(path)):
            continue
        if room == "sql":
            continue  # sql/ holds statements for sessions and migrations; those for users' data are in sql/queries
        for line, text in enumerate(without_comments(path.read_text()).splitlines(), 1):
            if statement.search(text):
                yield f"{name(path)}:{line}: SQL belongs into sql/queries/<service>/<name>.sql"


def migrations_are_numbered_without_gaps():
    numbers = sorted(int(path.name[:4]) for path in FILES if name(path).startswith("sql/migrations/"))
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"sql/migrations: {numbers}: a missing number would be applied after later ones"


def every_statement_is_used():
    code = "\n".join(path.read_text() for path in of(".cpp", ".h"))
    statements = "\n".join(path.read_text() for path in of(".sql"))
    for path in FILES:
        if not name(path).startswith("sql/queries/"):
            continue
        if path.suffix == ".part":
            if statements.count(f"-- include: {path.stem}\n") < 2:
                yield f"{name(path)}: is not in common to several statements"
            continue
        if not re.search(rf"\b{path.stem}\b", code):
            yield f"{name(path)}: not used by any code"


def readmes_of_services_name_every_route():
    for service in SERVICES:
        patterns = route_patterns(service)
        if not patterns:
            continue
        text = text_of(f"handlers/{service}/README.md")
        for heading in HEADINGS:
            if heading not in text:
                yield f"handlers/{service}/README.md: no heading that begins with {heading}"
        for pattern in patterns:
            if pattern not in text:
                yield f"handlers/{service}/README.md: does not mention {pattern}"


def text_of(path):
    return (ROOT / path).read_text() if (ROOT / path).exists() else ""


def every_service_is_in_all_its_places():
    """Follows the list in README.md, "A service". Migrations and statements need no entry: they are found by folder."""
    conformance = re.search(r"^SERVICES = {(.*?)}", text_of("tests/conformance/conformance_test.py"), re.M | re.S)[1]
    for service in SERVICES:
        folder = f"handlers/{service}"
        row = text_of(f"{folder}/service.cpp")
        if not text_of(f"{folder}/README.md"):
            yield f"{folder}: no README.md, the protocol as served here"
        if f'.name = "{service}"' not in row or not text_of(f"{folder}/service.h"):
            yield f"{folder}: no service.h and service.cpp with a Service named {service}"
        for table, function in (("routes", "Routes()"), ("settings", "SettingRows()"), ("jobs", "Jobs()"), ("checks", "Checks()")):
            if (ROOT / folder / f"{table}.cpp").exists() and f".{table} = {function}" not in row:
                yield f"{folder}/service.cpp: .{table} = {function} is missing"
        if not re.search(rf"&{service}::ThisService\(\)", text_of("handlers/services.cpp")):
            yield f"handlers/services.cpp: does not list {service}::ThisService()"
        build = text_of("CMakeLists.txt")
        if not re.search(rf"^room\(syncline_{service} {folder} ", build, re.M):
            yield f"CMakeLists.txt: no room(syncline_{service} {folder} ...)"
        if not re.search(rf"^room\(syncline_services handlers [^)]*\bsyncline_{service}\b", build, re.M):
            yield f"CMakeLists.txt: syncline_services is not linked to syncline_{service}"
        patterns = route_patterns(service)
        for pattern in patterns:
            if not is_passed_on(pattern):
                yield f"nginx/site.conf.in: no location passes {pattern} on"
        if patterns and not list((ROOT / "tests/cases" / service).glob("*.case")):
            yield f"tests/cases/{service}: no cases"
        if patterns and f'"{service}":' not in conformance:
            yield f"tests/conformance/conformance_test.py: SERVICES does not say how clients of {service} log in"


def is_passed_on(pattern):
    """Ignores `location /`, which serves static pages."""
    for kind, location in re.findall(r"location (=|~|\^~)? *(/\w\S*|\^\S+) *{", text_of("nginx/site.conf.in")):
        if re.match(location, pattern) if kind == "~" else pattern == location if kind == "=" else pattern.startswith(location):
            return True
    return False


def route_patterns(service):
    return re.findall(r'\{"[A-Z]+",\s*"([^"]+)"', text_of(f"handlers/{service}/routes.cpp"))


CYRILLIC = re.compile("[\u0410-\u044f\u0401\u0451\u00ab\u00bb\u2014]")


def files_are_plain_text():
    for path in FILES:
        if path.suffix not in TEXT or name(path) == "LICENSE":
            continue
        data = path.read_bytes()
        if path.suffix in (".cpp", ".h", ".sql", ".cmake") and not data.isascii() and "tests" not in path.parts:
            for line, text in enumerate(data.decode().split("\n"), 1):
                # Words that people read, in strings of C++.
                rest = re.sub(r'"(?:[^"\\]|\\.)*"', lambda string: CYRILLIC.sub("", string[0]), text) if path.suffix == ".cpp" else text
                if not rest.isascii():
                    yield f"{name(path)}:{line}: not ASCII; write \\u escapes in strings, but for Cyrillic letters"
        for line, text in enumerate(data.decode().split("\n"), 1):
            if text != text.rstrip() and path.suffix != ".case":
                yield f"{name(path)}:{line}: trailing blanks"
        if data and not data.endswith(b"\n"):
            yield f"{name(path)}: no newline at the end"


def pages_have_no_inline_parts_and_no_way_for_markup_from_data():
    """What the Content-Security-Policy would refuse in the browser, and what it cannot see."""
    in_html = re.compile(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", re.I)
    in_js = re.compile(r"javascript:|\b(innerHTML|outerHTML|insertAdjacentHTML|DOMParser|createContextualFragment|eval|srcdoc)\b|document\.write|new Function|"
                       r"setAttribute\(\"(style|on\w+)\"|cssText")
    elsewhere = re.compile(r"[\"'`(=]\s*(https?:)?//[\w${]")
    for path in of(".html", ".js", ".css", ".svg"):
        if not name(path).startswith("nginx/html/"):
            continue
        for line, text in enumerate(path.read_text().splitlines(), 1):
            text = text.replace("http://www.w3.org/2000/svg", "")
            found = (in_js if path.suffix == ".js" else in_html).search(text) or elsewhere.search(text)
            if found:
                yield f"{name(path)}:{line}: {found[0]}: pages are made of elements and text nodes, from files of this server"


def every_page_may_load_its_parts():
    policy = re.search(r'"~(\^[^"]+)"\s+"default-src \'self\';', text_of("nginx/site.conf.in"))[1]
    for path in of(".html"):
        if name(path).startswith("nginx/html/") and not re.search(policy, name(path)[len("nginx/html"):]):
            yield f"nginx/site.conf.in: syncline_content_policy does not name {name(path)}"


def texts_of_pages_are_there_in_every_language():
    for path in of(".js"):
        if not path.name.endswith("texts.js"):
            continue
        tables = {language: set(re.findall(r"^    (\w+):", body, re.M))
                  for language, body in re.findall(r"^  (\w+): \{\n(.*?)^  \},", path.read_text(), re.M | re.S)}
        if set(tables) != {"en", "ru"}:
            yield f"{name(path)}: languages {', '.join(tables) or 'none'}"
            continue
        for key in sorted(tables["en"] ^ tables["ru"]):
            yield f"{name(path)}: {key} is there in one language only"
        if path.name != "texts.js":
            continue
        used = set()
        for user in users_of_texts(path):
            code = user.read_text()
            for key in sorted(set(re.findall(r"\bt\(\"(\w+)\"", code)) - tables["en"]):
                yield f"{name(user)}: no text {key} in {name(path)}"
            # A key in parts: at least one text must fit.
            for template in sorted(set(re.findall(r"\bt(?:\.has)?\(`([^`]+)`", code))):
                fitting = {key for key in tables["en"] if re.fullmatch(re.sub(r"\$\{[^}]*\}", r"\\w+", template), key)}
                if not fitting:
                    yield f"{name(user)}: no text fits {template} in {name(path)}"
                used |= fitting
            # Also those that stand in a list first.
            used |= set(re.findall(r"\"(\w+)\"", code))
        # Parts of the frame that get the texts of a page.
        used |= set(re.findall(r"\btext\(\"(\w+)\"", text_of("nginx/html/frame/usage.js")))
        for key in sorted(tables["en"] - used):
            yield f"{name(path)}: nobody uses {key}"


def users_of_texts(texts):
    """The modules that import a table of texts."""
    for path in of(".js"):
        for found in re.findall(r'import \{ TEXTS \} from "([^"]+)"', path.read_text()):
            if (path.parent / found).resolve() == texts:
                yield path


def python_files_parse():
    for path in of(".py"):
        try:
            ast.parse(path.read_text(), str(path))
        except SyntaxError as error:
            yield f"{name(path)}:{error.lineno}: {error.msg}"


def source_files_say_what_they_are_for():
    for path in of(".h"):
        text = path.read_text()
        if not re.match(r"(#pragma once\n)?//", text):
            yield f"{name(path)}: does not begin with a comment on its purpose"
        if "#pragma once" not in text[:2000]:
            yield f"{name(path)}: no #pragma once"


def every_folder_of_the_top_is_known():
    known = {"CMakeLists.txt", "fcgi", "handlers", "sql", "nginx", "systemd", "tests", "README.md", "run", "check", "packages.txt",
             "LICENSE"}
    for top in sorted({name(path).split("/")[0] for path in FILES}):
        if top not in known and not top.startswith("."):
            yield f"{top}: not a known name at the top level"


def packages_are_listed_once_and_in_order():
    lines = [line.split() for line in (ROOT / "packages.txt").read_text().splitlines() if not line.startswith("#")]
    names = [line[0] for line in lines]
    if names != sorted(set(names)):
        yield "packages.txt: not in alphabetical order, or a duplicate name"
    for line in lines:
        if len(line) != 2 or line[1] not in ("build", "run", "test"):
            yield f"packages.txt: {' '.join(line)}: expected NAME and build, run or test"


CHECKS = (includes_go_one_way, only_sql_knows_the_libraries_of_postgresql, service_folders_hold_only_the_known_kinds_of_file, sql_stands_in_files,
          migrations_are_numbered_without_gaps, every_statement_is_used,
          readmes_of_services_name_every_route, every_service_is_in_all_its_places, files_are_plain_text, pages_have_no_inline_parts_and_no_way_for_markup_from_data,
          every_page_may_load_its_parts, texts_of_pages_are_there_in_every_language, python_files_parse, source_files_say_what_they_are_for,
          every_folder_of_the_top_is_known, packages_are_listed_once_and_in_order)


if __name__ == "__main__":
    sys.exit(report(CHECKS))
