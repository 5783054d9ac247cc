"""Write ``jars.sha256`` anew: ``python -m tricast.kafka.pin > tricast/kafka/jars.sha256`` (for who upgrades Kafka).

Kafka's own closure and the logging binding are resolved apart: resolved together, jgo takes the binding's dependency
management for Kafka's jars and picks an older kafka-clients.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import jgo
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

from tricast.kafka.errors import NoNetwork
from tricast.kafka.layout import KAFKA_VERSION

KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
LOG4J_CORE = "org.apache.logging.log4j:log4j-core"


def main() -> None:
    """Resolve, download, and print one line per jar: sha256, size in bytes, coordinate."""
    coordinates = [f"{a.groupId}:{a.artifactId}:{a.version}" for a in jgo.resolve(KAFKA)]
    log4j = next(c.rpartition(":")[2] for c in coordinates if c.startswith(f"{LOG4J_CORE}:"))
    coordinates.append(f"org.apache.logging.log4j:log4j-slf4j-impl:{log4j}")
    with tempfile.TemporaryDirectory() as scratch:
        maven = MavenContext(repo_cache=Path(scratch), remote_repos={"central": MAVEN_CENTRAL_URL})
        for coordinate in sorted(coordinates):
            group, name, version = coordinate.split(":")
            jar = maven.resolver.download(maven.project(group, name).at_version(version).artifact())
            if jar is None:
                raise NoNetwork(coordinate, "the repository has no such jar")
            content = jar.read_bytes()
            sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {len(content):>8}  {coordinate}\n")


if __name__ == "__main__":
    main()
