#!/usr/bin/env python3
"""/openapi.json says what the server serves: every route of the anime service, of sessions and of the account is in it with
its parameters, its login, its body and the statuses that the front can answer, and nothing else is.

Compares nginx/html/openapi.json with `syncline-fcgi --print-routes`. SYNCLINE_BIN has the program; SYNCLINE_HTTP, if set,
the server that serves the document and its page. What the answers look like is tested by openapi_requests_test.py.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from promises import Skip, keep

BIN = pathlib.Path(os.environ.get("SYNCLINE_BIN", str(ROOT / "build")))
PAGES = ROOT / "nginx/html"
DOCUMENT = json.loads((PAGES / "openapi.json").read_text())
# In the manner of FastAPI. The product's own API (/account, /jobs) is another one.
DOCUMENTED = re.compile(r"^(/anime/|/genres/|/users/me|/auth/|/health$)")


def routes():
    """(method, path): (operation, auth, body limit)"""
    printed = subprocess.run([str(BIN / "syncline-fcgi"), "--print-routes"], text=True, check=True, stdout=subprocess.PIPE).stdout
    rows = [line.split() for line in printed.splitlines()]
    return {(row[0].lower(), row[1]): (row[2], row[3], int(row[5])) for row in rows if DOCUMENTED.match(row[1])}


def operations():
    return {(method, path): operation for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()}


def resolve(thing):
    while isinstance(thing, dict) and "$ref" in thing:
        target = DOCUMENT
        for key in thing["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        thing = target
    return thing


def parameters(operation, place):
    return {parameter["name"] for parameter in map(resolve, operation.get("parameters", [])) if parameter["in"] == place}


def references(thing):
    if isinstance(thing, dict):
        if "$ref" in thing:
            yield thing["$ref"]
        for value in thing.values():
            yield from references(value)
    elif isinstance(thing, list):
        for value in thing:
            yield from references(value)


def every_route_is_documented_and_nothing_else_is():
    served, written = routes(), operations()
    assert served.keys() == written.keys(), f"not documented: {served.keys() - written.keys()}; not served: {written.keys() - served.keys()}"
    for key, (operation, _, _) in served.items():
        assert written[key]["operationId"] == operation, (key, written[key]["operationId"])
    return f"{len(served)} operations"


def the_parameters_of_every_path_are_documented():
    for (method, path), operation in operations().items():
        assert parameters(operation, "path") == set(re.findall(r"{(\w+)}", path)), (method, path)


def logins_are_as_the_routes_say():
    for key, (_, auth, _) in routes().items():
        security = operations()[key]["security"]
        expected = {"public": security == [], "login": security != [] and {} not in security, "optional": {} in security}
        assert expected[auth], (key, auth, security)


def every_status_that_the_front_can_answer_is_documented():
    for key, (_, auth, limit) in routes().items():
        operation = operations()[key]
        wanted = {"429", "503"}
        wanted |= {"401", "403"} if auth != "public" else set()
        wanted |= {"413"} if limit > 0 else set()
        if "requestBody" in operation or parameters(operation, "query") or parameters(operation, "path") - {"sid"}:
            wanted |= {"422"}
        missing = wanted - operation["responses"].keys()
        assert not missing, (key, missing)
        assert limit > 0 or "requestBody" not in operation, key


def texts_of_every_operation_are_there():
    tags = {tag["name"] for tag in DOCUMENT["tags"]}
    for key, operation in operations().items():
        assert operation["summary"] and set(operation["tags"]) <= tags, key
        assert all(resolve(answer)["description"] for answer in operation["responses"].values()), key


def references_lead_somewhere_and_no_component_is_left_over():
    used = set(references(DOCUMENT))
    for reference in used:
        assert resolve({"$ref": reference}), reference
    kinds = {kind: DOCUMENT["components"][kind] for kind in ("schemas", "responses", "parameters")}
    there = {f"#/components/{kind}/{name}" for kind, names in kinds.items() for name in names}
    assert used == there, (used ^ there)


def the_parameters_that_handlers_read_are_documented():
    """By their source: `in.Query("name")` of a handler, and of the readers that it calls."""
    text = "".join(path.read_text() for path in sorted((ROOT / "handlers/anime").glob("*.cpp")))
    read = set(re.findall(r'\.(?:Query|Queries)\("(\w+)"', text))
    written = set().union(*(parameters(operation, "query") for operation in operations().values()))
    assert read == written, f"not documented: {read - written}; not read: {written - read}"


def the_members_that_bodies_may_have_are_documented():
    schemas = DOCUMENT["components"]["schemas"]
    for name, file, also in (("UserAnimeListCreate", "anime/entry_wire.cpp", set()), ("AnimeCreate", "anime/title_wire.cpp", set())):
        text = (ROOT / "handlers" / file).read_text()
        read = set(re.findall(r'(?:in\[|in\.(?:Maybe|Find|Int|Text|Bool)\(|ReadClearable\(in, )"(\w+)"', text))
        assert read | also == set(schemas[name]["properties"]), (name, read ^ set(schemas[name]["properties"]))


def it_is_an_openapi_document():
    assert DOCUMENT["openapi"].startswith("3.1") and DOCUMENT["info"]["title"] == "AniSync Api" and DOCUMENT["info"]["version"] == "0.1 beta"
    try:
        import jsonschema
    except ImportError as why:
        raise Skip(f"no jsonschema: {why}") from why
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def get(path):
    if not os.environ.get("SYNCLINE_HTTP"):
        raise Skip("no server")
    try:
        with urllib.request.urlopen(os.environ["SYNCLINE_HTTP"] + path, timeout=30) as answer:
            return answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path}: {error.code}") from error


def the_document_and_its_page_are_served():
    headers, body = get("/openapi.json")
    assert headers["content-type"] == "application/json" and json.loads(body) == DOCUMENT, headers
    for path, kind, file in (("/docs", "text/html", "index.html"), ("/docs/docs.js", "application/javascript", "docs.js"),
                             ("/docs/texts.js", "application/javascript", "texts.js")):
        headers, body = get(path)
        assert headers["content-type"].split(";")[0] == kind and body == (PAGES / "docs" / file).read_bytes(), (path, headers)
        # Of a page; that of its parts says nothing.
        assert kind != "text/html" or "default-src 'self'" in headers["content-security-policy"], headers
        assert len(headers.get_all("content-security-policy")) == 1, headers


def the_page_loads_nothing_from_elsewhere_and_has_nothing_inline():
    page = (PAGES / "docs/index.html").read_text()
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    for file in ("index.html", "docs.js", "texts.js"):
        assert not re.search(r"(?<!\w)(https?:)?//(?!\s)[\w.]+\.\w|@import|url\(|innerHTML|eval\(", (PAGES / "docs" / file).read_text()), file


sys.exit(keep(every_route_is_documented_and_nothing_else_is, the_parameters_of_every_path_are_documented, logins_are_as_the_routes_say,
              every_status_that_the_front_can_answer_is_documented, texts_of_every_operation_are_there,
              references_lead_somewhere_and_no_component_is_left_over, the_parameters_that_handlers_read_are_documented,
              the_members_that_bodies_may_have_are_documented, it_is_an_openapi_document, the_document_and_its_page_are_served,
              the_page_loads_nothing_from_elsewhere_and_has_nothing_inline))
