"""Asks the API every odd thing its own description allows, and some that it forbids, with schemathesis.

    python tools/check_api.py [--schemathesis PROGRAM] [--examples N]

Serves a collection of drawn pictures twice: to this computer alone, and with a token, where half of the runs lack it.
Ends with status 1 when an answer is a failure of the service (5xx), has a status or a shape that the description does
not have, or is given without the token. schemathesis lives in an environment of its own: it pins other versions of what
the service uses.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from lookalike.testing import draw_pictures

COMMAND = (sys.executable, "-m", "lookalike")
A_SECOND = 18  # requests, just below what one client from elsewhere may ask
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection"
)


@contextmanager
def served(collection: Path, *more: str):
    """The address of a service, until the block ends."""
    asked = [*COMMAND, "serve", "--collection", str(collection), "--port", "0", "--json", *more]
    with subprocess.Popen(asked, stdout=subprocess.PIPE) as serving:
        try:
            told = b"".join(iter(serving.stdout.readline, b"}\n")) + b"}"
            yield json.loads(told)["address"].rstrip("/").replace("0.0.0.0", "127.0.0.1")
        finally:
            serving.terminate()


def described(address: str, place: Path, headers: dict[str, str]) -> Path:
    """A file with the description of a service, which needs a token itself."""
    asked = urllib.request.Request(f"{address}/api/v1/openapi.json", headers=headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        (place / "openapi.json").write_bytes(answer.read())
    return place / "openapi.json"


def check(name: str, program: str, description: Path, address: str, *more: str) -> bool:
    """Whether one run of schemathesis is content."""
    print(f"--- {name}", flush=True)
    asked = [program, "run", str(description), "--url", address, "--seed", "1", *more]
    return subprocess.run(asked, check=False, cwd=description.parent).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schemathesis", default="schemathesis", metavar="PROGRAM")
    parser.add_argument("--examples", type=int, default=100, help="requests of a kind for each route")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        os.environ |= {"XDG_DATA_HOME": f"{root}/data", "XDG_CONFIG_HOME": f"{root}/config"}
        draw_pictures(root / "pictures", 48)
        collection = root / "drawn.lookalike"
        subprocess.run([*COMMAND, "index", root / "pictures", "--collection", collection, "--json"], check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        told = subprocess.run([*COMMAND, "token", "add", "x", "--write", "--json"], check=True, stdout=subprocess.PIPE)
        token = json.loads(told.stdout)["token"]
        common = ["--checks", CHECKS, "--request-timeout", "30"]
        with served(collection) as address:
            description = described(address, root, {})
            outcomes = [
                check("this computer", asked.schemathesis, description, address, *common, "-n", str(asked.examples))
            ]
        bearer = {"Authorization": f"Bearer {token}"}
        with served(collection, "--host", "0.0.0.0") as address:
            description = described(address, root, bearer)
            limited = ["--rate-limit", f"{A_SECOND}/s", "-n", str(max(1, asked.examples // 10))]
            sent = [*limited, "-H", f"Authorization: Bearer {token}"]
            outcomes.append(check("with a token", asked.schemathesis, description, address, *common, *sent))
            outcomes.append(check("without", asked.schemathesis, description, address, *common, *limited))
    print(f"\nkept: {all(outcomes)}")
    sys.exit(not all(outcomes))


if __name__ == "__main__":
    main()
