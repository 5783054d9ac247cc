"""compose.yaml: what it names exists, every part is there once and bounded, secrets are files, Prometheus sees all.

Against the specification's JSON schema it was checked when it was written; no package in the locks has that schema.
"""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from schemas.topics.topic import LETTER_BYTES
from tests.deploy.commands import check_command, served_port
from tests.deploy.image import DOCKERFILE, ROOT
from tricast.cli.connect import CONNECTORS
from tricast.processors import PROCESSORS
from tricast.settings import load

FOLDER = ROOT / "deploy/compose"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("tricast:")}
_VARIABLE = re.compile(r"^\$\{(\w+):-([^}]*)\}$")


def environment(service: dict[str, Any], tmp_path: Path) -> dict[str, str]:
    """Return what the process sees, with secrets at a place that is here, and variables that nobody has set."""
    seen = {}
    for name, given in service.get("environment", {}).items():
        found = _VARIABLE.match(given)
        assert found is None or found[1] == name
        value = given if found is None else found[2]
        if value.startswith("/run/secrets/"):
            secret = value.removeprefix("/run/secrets/")
            assert secret in service["secrets"]
            (tmp_path / secret).write_text("a secret of some length\n")
            seen[name] = str(tmp_path / secret)
        else:
            seen[name] = value
    return seen


def test_there_are_three_brokers_of_one_cluster() -> None:
    brokers = [service for service in SERVICES.values() if service["image"].startswith("apache/kafka:")]
    assert len(brokers) == 3
    settings = [broker["environment"] for broker in brokers]
    assert {one["KAFKA_NODE_ID"] for one in settings} == {"1", "2", "3"}
    for one in settings:
        assert one["KAFKA_REPLICA_FETCH_MAX_BYTES"] == str(LETTER_BYTES)
        voters = one["KAFKA_CONTROLLER_QUORUM_VOTERS"].split(",")
        assert [voter.partition("@")[2] for voter in voters] == [f"{broker['hostname']}:9093" for broker in brokers]
        listeners = {name for name, _ in (part.split("://") for part in one["KAFKA_LISTENERS"].split(","))}
        protocols = dict(part.split(":") for part in one["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(","))
        assert listeners == protocols.keys()


def test_every_connector_and_processor_runs_once() -> None:
    commands = [service["command"] for service in OURS.values()]
    assert sorted(command[1] for command in commands if command[0] == "connect") == sorted(CONNECTORS)
    assert sorted(command[1] for command in commands if command[0] == "work") == sorted(PROCESSORS)


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_is_a_command_with_settings_that_load(name: str, tmp_path: Path) -> None:
    service = OURS[name]
    check_command(service["command"])
    settings = load(environment(service, tmp_path))
    assert settings.kafka.bootstrap_servers.count(",") == 2
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    if service["command"][0] == "connect":
        assert f"connect-{service['command'][1]}:/var/lib/tricast" in service["volumes"]
        grace_s = getattr(settings, service["command"][1]).grace_s
        assert int(service["stop_grace_period"].removesuffix("s")) > grace_s
    if "healthcheck" in service:
        *_, port, path = service["healthcheck"]["test"]
        assert (int(port), path) == (served_port(service["command"], settings.observe.port), "/livez")


def test_a_worker_has_longer_to_end_than_its_process() -> None:
    from tricast.cli.work import work  # noqa: PLC0415 - its default only

    (grace_s,) = (option.default for option in work.params if option.name == "grace_s")
    for service in OURS.values():
        if service["command"][0] == "work":
            assert int(service["stop_grace_period"].removesuffix("s")) > float(str(grace_s))


def test_prometheus_scrapes_every_process_where_it_serves(tmp_path: Path) -> None:
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    scraped = {target: one["labels"] for one in job["static_configs"] for target in one["targets"]}
    served = {
        f"{name}:{port}"
        for name, service in OURS.items()
        if (port := served_port(service["command"], load(environment(service, tmp_path)).observe.port))
    }
    assert scraped.keys() == served
    one_machine = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert sorted(map(json.dumps, scraped.values())) == sorted(
        json.dumps(one["labels"]) for one in one_machine["static_configs"]
    )


def test_what_is_named_exists() -> None:
    for name, service in SERVICES.items():
        assert set(service.get("networks", ())) <= COMPOSE["networks"].keys(), name
        assert set(service.get("secrets", ())) <= COMPOSE["secrets"].keys(), name
        assert set(service.get("depends_on", ())) <= SERVICES.keys(), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (FOLDER / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], volume
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), port
        build = service.get("build")
        assert build is None or (FOLDER / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    provider = yaml.safe_load((FOLDER / "grafana/dashboards.yml").read_text())["providers"][0]
    assert f"../grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]


def test_a_wrong_command_would_be_noticed() -> None:
    with pytest.raises(click.UsageError, match=r"kambi\.audit"):
        check_command(["work", "kambi.audit"])
