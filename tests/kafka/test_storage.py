import pytest

from tricast.kafka.java import format_storage
from tricast.kafka.layout import default_cache_dir
from tricast.kafka.release import fetch_release
from tricast.kafka.settings import Node, server_properties
from tricast.kafka.storage import ensure_formatted, new_uuid

pytestmark = pytest.mark.kafka


def facts(storage):
    lines = (storage / "meta.properties").read_text().splitlines()
    meta = dict(line.split("=", 1) for line in lines if not line.startswith("#"))
    directory = meta.pop("directory.id")
    checkpoint = (storage / "bootstrap.checkpoint").stat().st_size
    return sorted(path.name for path in storage.iterdir()), meta, len(directory), checkpoint


def test_our_format_is_that_of_kafkas_tool(tmp_path):
    release = fetch_release(default_cache_dir(), quiet=True)
    cluster_id = new_uuid()
    node = Node(broker=2, port=1, controller_port=2)
    properties = tmp_path / "server.properties"
    properties.write_text(server_properties(node, [node], tmp_path / "theirs"))
    format_storage(release.jars, cluster_id, properties)
    ensure_formatted(tmp_path / "ours", cluster_id, 2, release.checkpoint)
    assert facts(tmp_path / "ours") == facts(tmp_path / "theirs")
