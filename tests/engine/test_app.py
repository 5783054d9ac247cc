"""What a worker does with what runs beside it."""

import logging

from processors.engine.app import EngineApp
from processors.engine.config import EngineSettings
from processors.engine.topology import Topology
from schemas.errors import EngineError
from schemas.kafka import KafkaSettings
from tests.engine.toy import REGISTRY, ToyProcessor


async def test_what_runs_beside_and_fails_ends_the_worker_with_its_own_code_and_a_word(caplog, monkeypatch):
    monkeypatch.setattr(logging, "shutdown", lambda: None)  # pytest goes on

    async def fails():
        raise OSError("no")

    codes = []
    app = EngineApp(
        ToyProcessor(),
        Topology.of(ToyProcessor(), "", REGISTRY),
        kafka=KafkaSettings(),
        settings=EngineSettings(),
        version="test",
        exit_process=codes.append,
    )
    app.run_beside(fails)
    for beside in app._beside:
        await beside()
    assert codes == [EngineError.exit_code]
    assert "worker.stopped no" in caplog.messages
    assert "OSError: no" in caplog.text
