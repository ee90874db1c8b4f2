"""What lies in deploy/ speaks of figures, options and addresses that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from lookalike.cli.serve import FAREWELL_S, serve
from lookalike.service.api import router as api
from lookalike.service.clip_retrieval import router as clip_retrieval
from lookalike.service.runs_api import router as runs
from lookalike.service.server import END_S
from lookalike.service.settings import ServiceSettings
from lookalike.service.watch import Figures

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
NAMES = ("lookalike-1", "lookalike-2")
UNIT = (DEPLOY / "lookalike@.service").read_text(encoding="utf-8")
IMAGE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text(encoding="utf-8"))
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
BOARD = json.loads((DEPLOY / "grafana" / "lookalike.json").read_text(encoding="utf-8"))


def figures() -> dict[str, set[str]]:
    """The labels of each figure, by the names that Prometheus has for it."""
    found: dict[str, set[str]] = {}
    for figure in Figures().registry.collect():
        collector = Figures().registry._names_to_collectors[figure.name]
        labels = {*collector._labelnames, "job", "instance"}
        ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}[figure.type]
        for end in ends:
            found[figure.name + end] = labels | ({"le"} if end == "_bucket" else set())
    return found


def expressions() -> list[str]:
    panels = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    return [*(rule["expr"] for rule in RULES), *panels]


@pytest.mark.parametrize("expression", expressions())
def test_expressions_name_figures_and_labels_that_there_are(expression):
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    assert set(re.findall(r"lookalike:\w+:\w+", expression)) <= recorded
    for name, selected in re.findall(r"\b(lookalike_\w+)(?:\{([^}]*)\})?", expression):
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", selected)) <= figures()[name]


def test_every_alert_says_what_happened_and_what_to_do_is_tried_and_documented():
    tried = (DEPLOY / "prometheus" / "rules_test.yml").read_text(encoding="utf-8")
    document = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    alerts = [rule for rule in RULES if "alert" in rule]
    assert len(alerts) == 8
    for alert in alerts:
        assert set(alert["annotations"]) == {"summary", "do"}
        assert f"alertname: {alert['alert']}" in tried
        assert f"| {alert['alert']} |" in document


def test_every_figure_is_shown_on_the_board():
    shown = " ".join(target["expr"] for panel in BOARD["panels"] for target in panel["targets"])
    assert [figure.name for figure in Figures().registry.collect() if figure.name not in shown] == []


def test_panels_do_not_lie_over_each_other():
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


def sent_to(path: str) -> str:
    """The servers that NGINX hands a path to, by its rules: exact, then expressions in their order, then prefixes."""
    places = re.findall(r"location (=|~)? ?(\S+) \{[^}]*?proxy_pass http://(\w+)", NGINX)
    for kind, pattern, upstream in places:
        if kind == "=" and pattern == path:
            return upstream
    for kind, pattern, upstream in places:
        if kind == "~" and re.search(pattern, path):
            return upstream
    return max((len(prefix), upstream) for kind, prefix, upstream in places if not kind and path.startswith(prefix))[1]


def test_nginx_sends_runs_to_one_service_programs_to_any_and_a_visitor_to_the_same():
    for route in [*api.routes, *clip_retrieval.routes]:
        assert sent_to(route.path) == "lookalike"
    assert {sent_to(route.path.replace("{number}", "7")) for route in runs.routes} == {"lookalike_runs"}
    assert sent_to("/status") == "lookalike_runs"
    for path in ("/", "/more", "/item/api/v1/search", "/pictures", "/download", "/static/page.css"):
        assert sent_to(path) == "lookalike_page"


def test_only_questions_are_sent_twice_when_they_are_posted():
    (twice,) = re.findall(r"location ~ (\S+) \{[^}]*non_idempotent", NGINX)
    posted = {route.path for route in [*api.routes, *clip_retrieval.routes, *runs.routes] if "POST" in route.methods}
    assert {path for path in posted if re.search(twice, path)} == posted - {"/api/v1/jobs"}


def test_nginx_takes_uploads_as_large_as_the_service():
    megabytes = int(re.search(r"client_max_body_size (\d+)m", NGINX).group(1))
    assert ServiceSettings(()).upload_bytes + 1_000_000 <= megabytes * 2**20


def test_services_are_started_with_options_that_there_are():
    options = {name for parameter in serve.params for name in parameter.opts}
    started = [*COMPOSE["services"]["lookalike-1"]["command"], *re.findall(r"ExecStart=.*|\nCMD .*", UNIT + IMAGE)]
    named = set(re.findall(r"--[a-z]+", " ".join(started)))
    assert {"--proxy", "--name", "--host"} <= named <= options


def test_who_ends_a_service_waits_until_it_has_ended():
    waits = [COMPOSE["services"][name]["stop_grace_period"].rstrip("s") for name in NAMES]
    waits += re.findall(r"TimeoutStopSec=(\d+)", UNIT)
    assert min(map(int, waits)) > FAREWELL_S + END_S


def test_images_are_pinned_and_no_service_may_do_more_than_it_needs():
    from lookalike import __version__

    services = COMPOSE["services"]
    for name, service in services.items():
        assert re.search(r":v?\w+[.\w-]+$", service["image"]), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        for port in service.get("ports", []):
            assert "127.0.0.1:" in port, name
    assert services["lookalike-1"]["image"] == f"lookalike:{__version__}"
    assert all(services[name]["read_only"] for name in (*NAMES, "nginx", "command"))


def test_nginx_is_believed_by_both_services_and_prometheus_asks_both():
    address = COMPOSE["services"]["nginx"]["networks"]["inside"]["ipv4_address"]
    for name in NAMES:
        assert {f"--proxy={address}", f"--name={name}"} <= set(COMPOSE["services"][name]["command"])
        assert NGINX.count(f"server {name}:8000") >= 2
    watched = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (targets,) = watched["scrape_configs"][0]["static_configs"]
    assert targets["targets"] == [f"{name}:8000" for name in NAMES]


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_may_only_read_unless_they_say_why_and_use_actions_by_their_digest(path):
    text = path.read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    for used in re.findall(r"uses: (\S+)", text):
        assert used.startswith("./") or re.search(r"@[0-9a-f]{40}$", used)
    for job in workflow["jobs"].values():
        assert "uses" in job or "timeout-minutes" in job
