"""Kubernetes: what kustomize makes of the example fits the schemas, and every pod is bounded, unarmed and asked.

Not shown here: that a cluster takes and runs it, that its network keeps the policies, and that Strimzi's secrets fit.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from deploy.access.roles import roles
from deploy.strimzi.resources import CLUSTER, PREFIX
from schemas.topics import TOPICS
from tests.deploy.commands import check_command, served_port
from tests.deploy.image import FINAL_USER, ROOT
from tricast.cli.connect import CONNECTORS
from tricast.processors import PROCESSORS
from tricast.settings import Settings, load

FOLDER: Final = ROOT / "deploy/kubernetes"
_VERSIONS: Final = ("1.28", "1.37")
"""Oldest that has the pod's index as a label, and the newest whose schemas are at hand."""
_POD_INDEX: Final = "metadata.labels['apps.kubernetes.io/pod-index']"
_VENDOR: Final = {"fastpath": {"token"}, "rms": {"secret"}, "kambi": set[str]()}

Resource = Mapping[str, Any]


def kustomized(folder: str) -> list[Resource]:
    build = ["kubectl", "kustomize"] if shutil.which("kubectl") else ["kustomize", "build"]
    if shutil.which(build[0]) is None:
        if os.environ.get("CI"):
            raise RuntimeError("neither kubectl nor kustomize is here; .ci/run installs it")
        return []
    done = subprocess.run([*build, FOLDER / folder], capture_output=True, text=True, check=True)
    return list(yaml.safe_load_all(done.stdout))


MADE: Final = kustomized("overlays/example")
WORKLOADS: Final = {one["metadata"]["name"]: one for one in MADE if one["kind"] in {"Deployment", "StatefulSet"}}
needs_kustomize = pytest.mark.skipif(not MADE, reason="needs kubectl or kustomize")
pytestmark = needs_kustomize


def of_kind(kind: str) -> dict[str, Resource]:
    return {one["metadata"]["name"]: one for one in MADE if one["kind"] == kind}


def pod(workload: Resource) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def container(workload: Resource) -> dict[str, Any]:
    (one,) = pod(workload)["containers"]
    return dict(one)


def settings_of(workload: Resource, tmp_path: Any, index: int = 0) -> Settings:
    """Return the settings that a pod would load, its files made up, its pod index given."""
    mounted = {mount["mountPath"] for mount in container(workload)["volumeMounts"]}
    (config,) = of_kind("ConfigMap").values()
    assert container(workload)["envFrom"] == [{"configMapRef": {"name": config["metadata"]["name"]}}]
    given = dict(config["data"])
    for variable in container(workload)["env"]:
        if "valueFrom" in variable:
            assert variable["valueFrom"]["fieldRef"]["fieldPath"] == _POD_INDEX
        given[variable["name"]] = variable.get("value", str(index))
    for name, value in given.items():
        if value.startswith("/run/"):
            assert value.rpartition("/")[0] in mounted, f"{name} is not mounted"
            path = tmp_path / value.removeprefix("/").replace("/", "-")
            path.write_text("a secret of some length\n")
            given[name] = str(path)
    return load(given)


@pytest.mark.parametrize("version", _VERSIONS)
def test_what_is_made_fits_the_schemas(version: str) -> None:
    for resource in MADE:
        kubernetes_validate.validate(dict(resource), version, strict=True)
    planted = {**MADE[0], "spek": {}}
    with pytest.raises(kubernetes_validate.ValidationError, match="spek"):
        kubernetes_validate.validate(planted, version, strict=True)


def test_every_connector_has_a_standby_and_every_processor_a_deployment() -> None:
    commands = {name: container(workload)["args"] for name, workload in WORKLOADS.items()}
    connectors = {f"connect-{feed}{end}": ["connect", feed] for feed in CONNECTORS for end in ("", "-b")}
    workers = {f"work-{name.replace('.', '-')}": ["work", name] for name in PROCESSORS}
    page = ["status", "--web", "--host", "0.0.0.0", "--port", "8642"]
    assert commands == connectors | workers | {"monitor": ["monitor"], "page": page}
    for name, workload in WORKLOADS.items():
        assert workload["kind"] == ("StatefulSet" if name in connectors else "Deployment")


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_pod_can_do_little(name: str) -> None:
    spec, one = pod(WORKLOADS[name]), container(WORKLOADS[name])
    user = spec["securityContext"]
    assert spec["serviceAccountName"] == "tricast"
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False  # TRICAST_… of a service would be an unknown setting
    assert (user["runAsNonRoot"], f"{user['runAsUser']}:{user['runAsGroup']}") == (True, FINAL_USER)
    assert user["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert one["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in one["resources"]["limits"]
    writable = {mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")}
    assert writable == ({"/tmp", "/var/lib/tricast"} if name.startswith("connect-") else {"/tmp"})
    volumes = {volume["name"] for volume in spec["volumes"]} | {
        claim["metadata"]["name"] for claim in WORKLOADS[name]["spec"].get("volumeClaimTemplates", ())
    }
    assert {mount["name"] for mount in one["volumeMounts"]} == volumes
    assert not [variable for variable in one["env"] if "PASSWORD" in variable["name"] or variable["name"] == "SECRET"]


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_settings_of_a_pod_load_and_its_user_has_a_role(name: str, tmp_path: Any) -> None:
    workload = WORKLOADS[name]
    check_command(container(workload)["args"])
    settings = settings_of(workload, tmp_path)
    user = settings.kafka.sasl_username
    assert user in {role.name for role in roles(PREFIX)}
    secrets = {volume["secret"]["secretName"] for volume in pod(workload)["volumes"] if "secret" in volume}
    vendor = {f"tricast-{part}" for part in CONNECTORS if name.startswith(f"connect-{part}") and _VENDOR[part]}
    assert secrets == {user, f"{CLUSTER}-cluster-ca-cert", "tricast-observe"} | vendor
    part, _, rest = name.partition("-")
    assert user == {"connect": f"tricast-connector-{rest.removesuffix('-b')}", "work": f"tricast-worker-{rest}"}.get(
        part, "tricast-monitor"
    )


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name != "page"])
def test_a_pod_is_asked_where_it_serves(name: str, tmp_path: Any) -> None:
    one = container(WORKLOADS[name])
    port = served_port(one["args"], settings_of(WORKLOADS[name], tmp_path).observe.port)
    assert [exposed["containerPort"] for exposed in one["ports"]] == [port]
    for probe, path in (("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        command = one[probe]["exec"]["command"]
        assert command == ["python", "-I", "-S", "/opt/tricast/probe.py", str(port), path]
        assert one[probe]["timeoutSeconds"] > 4  # the probe's own patience


@pytest.mark.parametrize("name", [name for name in WORKLOADS if name.startswith(("connect", "work"))])
def test_a_pod_has_time_to_end(name: str, tmp_path: Any) -> None:
    from tricast.cli.work import work  # noqa: PLC0415 - its default only

    command = container(WORKLOADS[name])["args"]
    (default,) = (option.default for option in work.params if option.name == "grace_s")
    settings = settings_of(WORKLOADS[name], tmp_path)
    grace_s = getattr(settings, command[1]).grace_s if command[0] == "connect" else float(str(default))
    assert pod(WORKLOADS[name])["terminationGracePeriodSeconds"] >= 2 * grace_s


def test_each_shard_of_kambi_has_a_pod_and_a_standby_elsewhere(tmp_path: Any) -> None:
    first, standby = WORKLOADS["connect-kambi"], WORKLOADS["connect-kambi-b"]
    for workload, replica in ((first, ""), (standby, "b")):
        loaded = [settings_of(workload, tmp_path, index).kambi for index in range(workload["spec"]["replicas"])]
        assert [kambi.own_shards for kambi in loaded] == [(shard,) for shard in range(loaded[0].shards)]
        assert {kambi.replica for kambi in loaded} == {replica}


@pytest.mark.parametrize("feed", CONNECTORS)
def test_a_standby_is_another_line_on_another_node(feed: str, tmp_path: Any) -> None:
    first, standby = WORKLOADS[f"connect-{feed}"], WORKLOADS[f"connect-{feed}-b"]
    assert getattr(settings_of(first, tmp_path), feed).replica == ""
    assert getattr(settings_of(standby, tmp_path), feed).replica == "b"
    (apart,) = pod(standby)["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    labels = first["spec"]["template"]["metadata"]["labels"]
    assert apart["labelSelector"]["matchLabels"].items() <= labels.items()
    assert (
        not apart["labelSelector"]["matchLabels"].items() <= standby["spec"]["template"]["metadata"]["labels"].items()
    )
    for workload in (first, standby):
        name = workload["spec"]["serviceName"]
        assert of_kind("Service")[name]["spec"]["selector"].items() <= selected(workload).items()
        assert workload["spec"]["selector"]["matchLabels"].items() <= selected(workload).items()


def selected(workload: Resource) -> dict[str, str]:
    return dict(workload["spec"]["template"]["metadata"]["labels"])


def test_no_more_workers_than_partitions() -> None:
    for name in PROCESSORS:
        most = min(TOPICS[source].partitions for source in PROCESSORS[name](Settings()).sources)
        workload = WORKLOADS[f"work-{name.replace('.', '-')}"]
        assert workload["spec"]["replicas"] <= most


def test_disruptions_take_one_pod_of_each_kind_at_a_time() -> None:
    budgets = of_kind("PodDisruptionBudget").values()
    for name, workload in WORKLOADS.items():
        covering = [b for b in budgets if b["spec"]["selector"]["matchLabels"].items() <= selected(workload).items()]
        assert len(covering) == (1 if name.startswith(("connect", "work")) else 0), name
        assert all(budget["spec"]["maxUnavailable"] == 1 for budget in covering)


def test_only_connectors_reach_vendors_and_nothing_is_open_by_default(tmp_path: Any) -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["default-deny"]["spec"] == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "tricast"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    outside = {
        name
        for name, workload in WORKLOADS.items()
        for policy in policies.values()
        for rule in policy["spec"].get("egress", ())
        if any("ipBlock" in peer for peer in rule["to"])
        and policy["spec"]["podSelector"]["matchLabels"].items() <= selected(workload).items()
    }
    assert outside == {name for name in WORKLOADS if name.startswith("connect-")}
    ((scraped,),) = (rule["ports"] for rule in policies["scraping"]["spec"]["ingress"])
    for name in WORKLOADS.keys() - {"page"}:
        (port,) = container(WORKLOADS[name])["ports"]
        assert scraped["port"] <= port["containerPort"] <= scraped["endPort"]
    ((kafka,),) = (rule["ports"] for rule in policies["kafka"]["spec"]["egress"])
    servers = settings_of(WORKLOADS["monitor"], tmp_path).kafka.bootstrap_servers
    assert servers.endswith(f":{kafka['port']}")
