"""The alert rules on what Prometheus scraped from the product: each recorded scenario fires what it must, no more."""

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.scenarios.catalogue import SCENARIOS
from tests.scenarios.prometheus import CONFIG, RULES, config_of
from tests.scenarios.recording import FOLDER
from tricast.processors import PROCESSORS
from tricast.stack.vendors import VENDORS

RECORDED: Final = {path.stem: path for path in sorted(FOLDER.glob("*.yml"))}
_MOST_BYTES: Final = 200_000
needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian: apt install prometheus)"
)


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)


@needs_promtool
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_scenario_fires_what_it_must_and_nothing_else(name: str) -> None:
    done = promtool("test", "rules", str(RECORDED[name]))
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_scenario_misses_each_rule_that_it_is_for(name: str, tmp_path: Path) -> None:
    recorded = yaml.safe_load(RECORDED[name].read_text())
    recorded["rule_files"] = ["rules.yml"]
    (tmp_path / "recorded.yml").write_text(yaml.safe_dump(recorded))
    for code in SCENARIOS[name].codes:
        rules: dict[str, Any] = yaml.safe_load(RULES.read_text())
        for group in rules["groups"]:
            group["rules"] = [rule for rule in group["rules"] if rule["labels"]["code"] != code]
        (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules))
        done = promtool("test", "rules", str(tmp_path / "recorded.yml"))
        assert done.returncode == 1, code
        assert f'code="{code}"' in done.stdout + done.stderr


@pytest.mark.parametrize("name", RECORDED)
def test_a_recording_is_small_and_expects_what_the_catalogue_says(name: str) -> None:
    text = RECORDED[name].read_text()
    assert len(text) < _MOST_BYTES
    over_all = yaml.safe_load(text)["tests"][0]["promql_expr_test"][-1]
    expected = [sample["labels"] for sample in over_all["exp_samples"]]
    assert expected == [f'{{code="{code}"}}' for code in sorted(SCENARIOS[name].codes)]


@needs_promtool
def test_promtool_reads_the_scrape_configuration() -> None:
    done = promtool("check", "config", str(CONFIG))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_process_of_the_product_is_scraped_under_its_name() -> None:
    (job,) = yaml.safe_load(CONFIG.read_text())["scrape_configs"]
    found = {(row["labels"]["part"], row["labels"]["instance"]): row["targets"] for row in job["static_configs"]}
    connectors = {("connector", f"connect-{feed}"): [f"127.0.0.1:{9301 + n}"] for n, feed in enumerate(VENDORS)}
    # `tricast work` gives its processes the ports from its own on.
    workers = {("worker", f"work-{name}"): [f"127.0.0.1:{9310 + n}"] for n, name in enumerate(PROCESSORS)}
    assert found == {("monitor", "monitor"): ["127.0.0.1:9300"]} | connectors | workers


def test_a_scenario_s_prometheus_differs_from_the_product_s_in_addresses_only() -> None:
    config = config_of({"monitor": 1, "work-kambi": 2, "page": 3})
    assert config["scrape_configs"][0].pop("static_configs") == [
        {"targets": ["127.0.0.1:1"], "labels": {"part": "monitor", "instance": "monitor"}},
        {"targets": ["127.0.0.1:2"], "labels": {"part": "worker", "instance": "work-kambi"}},
    ]
    stated = yaml.safe_load(CONFIG.read_text())
    del stated["scrape_configs"][0]["static_configs"]
    assert config | {"rule_files": stated["rule_files"]} == stated
