"""The example of autoscaling: a deployment that exists, by a metric that exists, no further than its partitions."""

import re

import yaml

from schemas.metrics import METRICS
from schemas.topics import TOPICS
from tests.deploy.image import ROOT
from tricast.processors import PROCESSORS, sources_of

FOLDER = ROOT / "deploy/kubernetes"


def test_the_example_scales_by_the_lag_of_its_own_group_up_to_its_partitions() -> None:
    for path in (FOLDER / "autoscaling").glob("*.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        target = spec["scaleTargetRef"]["name"]
        (processor,) = (name for name in PROCESSORS if f"work-{name.replace('.', '-')}" == target)
        ((group, sources),) = sources_of([processor], "tricast.").items()
        assert spec["maxReplicaCount"] == min(TOPICS[topic.removeprefix("tricast.")].partitions for topic in sources)
        (trigger,) = spec["triggers"]
        metric, label = re.findall(r'(tricast_\w+)\{group="([^"]+)"\}', trigger["metadata"]["query"])[0]
        assert "group" in METRICS[metric].labels
        assert label == group
        assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
