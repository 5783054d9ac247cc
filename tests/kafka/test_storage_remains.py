"""Storage whose formatting was cut off at any moment: formatted anew, never over data. No Kafka needed."""

import pytest

from schemas.errors import EnvironmentFault
from tricast.kafka.storage import ensure_formatted

META = "meta.properties"


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "bootstrap.checkpoint"
    path.write_bytes(b"feature levels")
    return path


@pytest.mark.parametrize(
    "remains",
    [
        [],
        ["bootstrap.checkpoint"],
        ["bootstrap.checkpoint", f".{META}.0badcafe"],
        ["bootstrap.checkpoint", f".{META}.0badcafe", f".{META}.deadbeef", ".lock"],
    ],
    ids=["empty", "checkpoint", "half-a-meta", "twice"],
)
def test_what_a_killed_format_leaves_is_formatted_anew(tmp_path, template, remains):
    storage = tmp_path / "data"
    storage.mkdir()
    for name in remains:
        (storage / name).write_bytes(b"half")
    ensure_formatted(storage, "cluster", 2, template)
    assert sorted(path.name for path in storage.iterdir()) == ["bootstrap.checkpoint", META]
    assert (storage / "bootstrap.checkpoint").read_bytes() == b"feature levels"
    assert {"cluster.id=cluster", "node.id=2"} <= set((storage / META).read_text().splitlines())


@pytest.mark.parametrize("name", ["kept-0", ".kafka_cleanshutdown", "__cluster_metadata-0"])
def test_what_holds_records_is_never_formatted_over(tmp_path, template, name):
    storage = tmp_path / "data"
    storage.mkdir()
    (storage / name).write_bytes(b"records")
    with pytest.raises(EnvironmentFault, match=f"holds {name}") as caught:
        ensure_formatted(storage, "cluster", 2, template)
    assert META in caught.value.action
    assert (storage / name).read_bytes() == b"records"
