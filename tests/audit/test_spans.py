"""What an audit asks of Kafka before anything was audited."""

import asyncio

from tricast.audit.spans import Kafka


def test_no_partitions_need_no_cluster():
    """A first certificate has no marks to look for; a client that is closed before it did anything is cancelled."""
    nowhere = Kafka({"bootstrap_servers": "127.0.0.1:1"}, timeout_s=1)
    assert asyncio.run(nowhere.spans([])) == {}
