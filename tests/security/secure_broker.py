"""A real broker that wants TLS and SCRAM, with a CA of its own, and lets nobody do what was not granted: as other
people's Kafka does. The user ``tricast`` may do everything, and so may whoever comes by the broker's own plain port.

Its certificate is for ``localhost`` alone, so ``127.0.0.1`` is a wrong name for the same broker.
"""

import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from schemas.kafka import KafkaSettings
from tricast.kafka import process
from tricast.kafka.java import java_command, java_environment
from tricast.kafka.layout import DataDir, default_cache_dir
from tricast.kafka.logs import telling_lines
from tricast.kafka.ports import LOOPBACK, free_ports
from tricast.kafka.probe import live_brokers
from tricast.kafka.release import fetch_release
from tricast.kafka.settings import Node, java_options, log4j2_properties, server_properties
from tricast.kafka.storage import new_uuid
from tricast.kafka.warmstart import with_warm_start
from tricast.kafka.watchdog import Watchdog

USER: Final = "tricast"
PASSWORD: Final = "PLANTED-kafka-password-7f3a"
MECHANISMS: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")
START_S: Final = 60.0
_LOGIN: Final = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class SecureBroker:
    """One broker: SASL over TLS for clients, plain on another port for itself; ended with its files on exit."""

    def __init__(self) -> None:
        self._files = DataDir(Path(tempfile.mkdtemp(prefix="tricast-kafka-")))
        self._watchdog: Watchdog | None = None
        self.port, plain, controller = free_ports(3, random.SystemRandom())
        self.plain_port = plain
        self._node = Node(broker=1, port=plain, controller_port=controller)
        self.ca_file = self._files.root / "ca.pem"
        self.other_ca_file = self._files.root / "other-ca.pem"

    def __enter__(self) -> Self:
        self._watchdog = Watchdog(self._files.root)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End it at once and remove its files."""
        if found := process.find(self._files.node(1)):
            process.end([found], grace_s=0)
        shutil.rmtree(self._files.root, ignore_errors=True)
        if self._watchdog:
            self._watchdog.dismiss()

    def settings(self, sasl_mechanism: str = MECHANISMS[0], **changes: object) -> KafkaSettings:
        """Return how a client that knows everything reaches it, with ``changes``."""
        right = {
            "bootstrap_servers": f"localhost:{self.port}",
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": sasl_mechanism,
            "sasl_username": USER,
            "sasl_password": SecretStr(PASSWORD),
            "ssl_cafile": str(self.ca_file),
        }
        return KafkaSettings.model_validate(right | changes)

    def environment(self, mechanism: str = MECHANISMS[0], **changes: str) -> dict[str, str]:
        """Return the same as variables of a process."""
        right = self.settings(mechanism).model_dump(exclude_none=True, exclude={"request_timeout_ms"})
        right |= {"sasl_password": PASSWORD} | changes
        return {f"TRICAST_KAFKA__{name.upper()}": str(value) for name, value in right.items()}

    def _start(self) -> None:
        authority, other = trustme.CA(), trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        other.cert_pem.write_to_path(self.other_ca_file)
        keystore = self._files.root / "broker.pem"
        keystore.write_bytes(_pkcs8(authority.issue_cert("localhost")))
        cache = default_cache_dir()
        release = with_warm_start(fetch_release(cache, quiet=True), cache, quiet=True)
        files = self._files.node(1)
        files.logs.mkdir(parents=True)
        files.properties.write_text(
            server_properties(self._node, [self._node], files.storage) + self._secured(keystore)
        )
        files.log4j2.write_text(log4j2_properties(files))
        cluster_id = new_uuid()
        users = [f"{mechanism}=[name={USER},password={PASSWORD}]" for mechanism in MECHANISMS]
        scram = [word for user in users for word in ("--add-scram", user)]
        format_command = ("format", "-t", cluster_id, "-c", str(files.properties), *scram)
        options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", *release.java_options]
        subprocess.run(
            java_command(release.jars, options, "kafka.tools.StorageTool", *format_command),
            env=java_environment(),
            check=True,
            capture_output=True,
            timeout=START_S,
        )
        child = process.spawn(files, release.jars, [*java_options(1), *release.java_options], None)
        deadline = time.monotonic() + START_S
        while not live_brokers(self._node.port, cluster_id):
            if child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("\n".join(telling_lines(files.log)))
            time.sleep(0.05)

    def _secured(self, keystore: Path) -> str:
        """Return settings beside those of every broker of ours; of two with one name the later one holds."""
        plain = f"PLAINTEXT://{LOOPBACK}:{self._node.port}"
        controller = f"CONTROLLER://{LOOPBACK}:{self._node.controller_port}"
        lines = {
            "listeners": f"SASL_SSL://{LOOPBACK}:{self.port},{plain},{controller}",
            "advertised.listeners": f"SASL_SSL://localhost:{self.port},{plain}",
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keystore),
            "auto.create.topics.enable": "true",  # Kafka's own default
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:{USER};User:ANONYMOUS",
            **{f"listener.name.sasl_ssl.{m.lower()}.sasl.jaas.config": _LOGIN for m in MECHANISMS},
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items())


def _pkcs8(leaf: trustme.LeafCert) -> bytes:
    """Return key and certificates as Kafka reads them: it knows no other form of a key."""
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    chain = b"".join(certificate.bytes() for certificate in leaf.cert_chain_pems)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + chain
