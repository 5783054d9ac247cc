"""What answers of brokers mean."""

import pytest
from aiokafka.protocol.metadata import MetadataResponse_v1

from tricast.monitor.broker import away

OFFERS = (0, "tricast.kambi.offers", False, [(0, 0, 1, [1, 2, 3], [1, 3]), (0, 1, 3, [2, 3, 1], [3, 1])])


@pytest.mark.parametrize(
    ("listed", "gone"),
    [
        pytest.param([1, 2, 3], (), id="all there"),
        pytest.param([1, 3], (2,), id="Kafka does not list one that was killed"),
        pytest.param([1, 3, 4], (2,), id="another that holds nothing yet"),
    ],
)
def test_a_broker_that_the_cluster_gave_up_is_told_by_its_replicas(listed: list[int], gone: tuple[int, ...]) -> None:
    brokers = [(number, "localhost", 9000 + number, None) for number in listed]
    assert away(MetadataResponse_v1(brokers, 1, [OFFERS])) == gone
    assert away(MetadataResponse_v1(brokers, 1, [])) == ()
