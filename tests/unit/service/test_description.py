"""The description of the API is whole: every shape it names is there, every error is a problem, every body is shown."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture(scope="module")
def described(site):
    return site.ask("/api/v1/openapi.json").json


def test_every_shape_that_is_named_is_there(described):
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(described)))
    assert named <= set(described["components"]["schemas"])
    assert "#/$defs" not in json.dumps(described)


def test_every_route_tells_how_it_refuses(described):
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for status in ("4XX", "5XX"):
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"], (method, path)


def test_every_route_that_takes_something_shows_it(described):
    for path, operations in described["paths"].items():
        assert "post" not in operations or operations["post"]["requestBody"]["content"], path


def test_asking_by_token_is_a_choice(described):
    assert described["security"] == [{}, {"token": []}]
