"""Run the Java reader beside a Kafka: ``python -m tests.examples.offers_reader 127.0.0.1:9092 tricast. 60``."""

import sys
import tempfile
from pathlib import Path

from schemas.export import FOLDER
from tests.examples import java
from tricast.kafka.layout import default_cache_dir

EXAMPLES = Path(__file__).parents[2] / "docs/examples/consuming"
MAIN = "OffersReader"


def class_path(to: Path, *, compiler_cache: Path) -> tuple[Path, ...]:
    """Compile the reader, and return the class path to run it with.

    Raises:
        NoNetwork: Jars are not there yet and cannot be fetched.
    """
    ecj = java.compiler(compiler_cache)
    jars = java.listed_jars(EXAMPLES / "jars.sha256", default_cache_dir())
    java.compile_java(EXAMPLES / f"{MAIN}.java", ecj=ecj, class_path=jars, to=to)
    return (to, *jars)


def main(bootstrap_servers: str, prefix: str, seconds: str) -> int:
    """Read for ``seconds`` and return how it ended."""
    with tempfile.TemporaryDirectory() as to:
        jars = class_path(Path(to), compiler_cache=default_cache_dir())
        done = java.try_java(
            MAIN, bootstrap_servers, prefix, seconds, str(FOLDER), class_path=jars, timeout_s=int(seconds) + 120
        )
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
