"""The toy job as a plain Faust agent, written the way Faust's guide does it: to be killed beside the engine.

Same source, same outputs, same running number per key, kept in a Faust table; no line of the engine. Everything that
the job does not need is as Faust ships it. ``guarantee`` is Faust's own ``processing_guarantee``.
"""

import json
import sys
import tempfile

import faust

from tests.engine.toy import PARTITIONS


def main() -> None:
    """Run a worker; settings come as one JSON argument, like the toy's."""
    arguments = json.loads(sys.argv[1])
    prefix, engine = arguments["prefix"], arguments["engine"]
    with tempfile.TemporaryDirectory() as data_dir:
        app = faust.App(
            f"{prefix}toy",
            broker=";".join(f"kafka://{address}" for address in arguments["bootstrap"].split(",")),
            datadir=data_dir,
            processing_guarantee=engine["guarantee"],
            topic_partitions=PARTITIONS,
            topic_replication_factor=engine["replication"],
            broker_session_timeout=engine["session_timeout_s"],
            broker_heartbeat_interval=engine["heartbeat_interval_s"],
            key_serializer="raw",
            value_serializer="raw",
            web_enabled=False,
        )
        raw, out = app.topic(f"{prefix}toy.raw"), app.topic(f"{prefix}toy.out")
        counts = app.Table("nth", default=int, partitions=PARTITIONS, key_type=str, value_type=int)

        @app.agent(raw)
        async def normalize(stream):
            async for event in stream.events():
                frame, partition = json.loads(event.value), event.message.partition
                for index, (key, text) in enumerate(frame["kids"]):
                    place = f"{partition}/{key}"
                    nth = counts[place]
                    counts[place] = nth + 1
                    kid = {"id": frame["id"], "index": index, "key": key, "nth": nth, "partition": partition}
                    await out.send(key=key.encode(), value=json.dumps({**kid, "text": text}).encode())

        sys.argv[1:] = ["worker", "--loglevel=info", "--without-web"]
        app.main()


if __name__ == "__main__":
    main()
