"""Write a list of jars anew: ``python -m tricast.kafka.pin > tricast/kafka/jars.sha256`` (for who upgrades Kafka).

With a version as argument: that of another Kafka, for ``jars-VERSION.sha256``; the tests can run on it.

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
from tricast.kafka.jars import pinned_jars
from tricast.kafka.layout import KAFKA_VERSION

LOG4J = "org.apache.logging.log4j"
OLD_BINDINGS = ("log4j-api", "log4j-core", "log4j-slf4j-impl", "log4j-1.2-api")
"""What Kafka 3.9, which is written for log4j 1, needs to log by way of log4j 2, of the version that Kafka 4 has."""


def main() -> None:
    """Resolve, download, and print one line per jar: sha256, size in bytes, coordinate."""
    version = sys.argv[1] if len(sys.argv) > 1 else KAFKA_VERSION
    found = jgo.resolve(f"org.apache.kafka:kafka_2.13:{version}")
    coordinates = {f"{a.groupId}:{a.artifactId}:{a.version}" for a in found if a.artifactId != "audience-annotations"}
    if log4j := next((a.version for a in found if a.artifactId == "log4j-core"), None):
        coordinates.add(f"{LOG4J}:log4j-slf4j-impl:{log4j}")
    else:
        log4j = next(jar.coordinate.rpartition(":")[2] for jar in pinned_jars() if ":log4j-core:" in jar.coordinate)
        coordinates |= {f"{LOG4J}:{name}:{log4j}" for name in OLD_BINDINGS}
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
