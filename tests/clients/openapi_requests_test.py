"""Requests that schemathesis makes from /openapi.json, valid and invalid ones, against a running server with a stand-in for
Jikan: no answer is a server error, and each has a status, a type and a form that the document promises.

SYNCLINE_REQUESTS: requests for each operation and phase, from a fresh seed, and the phase that walks all bounds. Without it
some from a fixed seed, which take less than a minute. Left out are the checks that what contradicts the document is
refused (numbers may come as texts, as with the original), and that all else is accepted: days, addresses, entity tags and
files have rules that a schema cannot say.
"""

import os
import pathlib
import re
import secrets
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from jikan import Jikan
from promises import Skip, keep
from rest_wire import ask
from stack import Stack

CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "unsupported_method", "ignored_auth", "missing_required_header")


def requests_from_the_document_get_what_it_promises():
    try:
        import schemathesis
    except ImportError as why:
        raise Skip(f"no schemathesis: {why}") from why
    email, password = f"{secrets.token_hex(6)}@example.com", secrets.token_hex(8)
    with Jikan() as jikan, Stack({"SYNCLINE_ANIME_JIKAN_URL": jikan.url, "SYNCLINE_OUTBOUND_NETWORKS": "127.0.0.0/8"}) as stack:
        for account in (email, "other-" + email):
            answer = ask("POST", "/auth/register", {"email": account, "password": password}, base=stack.http)
            assert answer.status == 201, answer
        first = ask("GET", "/anime/mal/90001", base=stack.http)
        assert first.status == 200, first
        # nginx refuses TRACE itself, without Allow.
        config = pathlib.Path(stack.dir) / "schemathesis.toml"
        config.write_text('[phases.coverage]\nunexpected-methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]\n')
        wanted = os.environ.get("SYNCLINE_REQUESTS")
        extent = ["--phases", "examples,coverage,fuzzing", "--max-examples", wanted] if wanted else [
            "--phases", "examples,fuzzing", "--max-examples", "10", "--seed", "1"]
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{stack.http}/openapi.json", "--url", stack.http,
                   "--checks", ",".join(CHECKS), *extent, "--workers", "2", "--request-timeout", "60", "--no-color", "--continue-on-failure",
                   "--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "openapi_login", "PYTHONPATH": str(ROOT / "tests/support"),
                       "SYNCLINE_HTTP": stack.http, "SYNCLINE_TEST_EMAIL": email, "SYNCLINE_TEST_PASSWORD": password}
        done = subprocess.run(command, env=environment, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=stack.dir)
        print(done.stdout)
        assert done.returncode == 0, f"schemathesis ended with {done.returncode}"
        assert jikan.violations() == [], jikan.violations()
        count = re.search(r"(\d+) generated", done.stdout)
        return f"schemathesis {schemathesis.__version__}, {count[1] if count else '?'} requests"


sys.exit(keep(requests_from_the_document_get_what_it_promises))
