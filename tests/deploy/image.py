"""``python -m tests.deploy.image``: the first stage of the image in an empty directory, without an engine.

Its RUN steps run as they stand, save that the image's absolute paths lie below that directory; COPY copies what
``.dockerignore`` lets in. The second stage changes the base system, which only an engine can do.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy/docker/Dockerfile"
IGNORE: Final = ROOT / ".dockerignore"
FINAL_USER: Final = "10001:10001"
_OURS: Final = re.compile(r"(?<![\w./-])/(src|build|wheels|opt/tricast)(?![\w-])")
"""Folders that the first stage makes."""
_BROUGHT: Final = ("PATH", "HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile, its lines joined."""

    verb: str
    rest: str


def stages(text: str) -> list[list[Step]]:
    """Return the steps of each stage, its FROM first."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    steps = [Step(*line.split(None, 1)) for line in lines if line.strip()]
    begins = [at for at, step in enumerate(steps) if step.verb == "FROM"]
    return [steps[begin:end] for begin, end in zip(begins, [*begins[1:], len(steps)], strict=True)]


def is_let_in(path: str, patterns: list[str]) -> bool:
    """Return whether ``.dockerignore`` lets a file in: the last pattern that meets it, or a folder of it, decides."""
    parts = path.split("/")
    heads = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    let_in = True
    for pattern in patterns:
        if any(_meets(head, pattern.removeprefix("!")) for head in heads):
            let_in = pattern.startswith("!")
    return let_in


def _meets(path: str, pattern: str) -> bool:
    wanted = re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
    return re.fullmatch(wanted, path) is not None


def context() -> Iterator[str]:
    """Yield the files that a build is given, relative to the repository, of those that git knows or would take."""
    patterns = [line for line in IGNORE.read_text().splitlines() if line and not line.startswith("#")]
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return (path for path in listed.stdout.splitlines() if (ROOT / path).is_file() and is_let_in(path, patterns))


def build(folder: Path) -> Path:
    """Run the first stage below ``folder``; return where the environment is that goes into the image."""
    given, work = folder / "context", folder / "src"
    for path in context():
        (given / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, given / path)
    environment = {name: os.environ[name] for name in _BROUGHT if name in os.environ}
    # The image's `python`: the one below this environment.
    environment["PATH"] = f"{sys.base_prefix}/bin:{environment['PATH']}"
    for step in stages(DOCKERFILE.read_text())[0][1:]:
        match step.verb:
            case "ENV":
                environment |= dict(part.split("=", 1) for part in shlex.split(step.rest))
            case "WORKDIR":
                work = Path(_below(folder, step.rest))
                work.mkdir(parents=True, exist_ok=True)
            case "COPY":
                _copy(given, work, [_below(folder, part) for part in shlex.split(step.rest)])
            case "RUN":
                _run(_below(folder, step.rest), work, environment)
            case other:
                raise ValueError(f"{other}: this script does not know what it does")
    return folder / "opt/tricast"


def _below(folder: Path, text: str) -> str:
    return _OURS.sub(lambda found: f"{folder}/{found[1]}", text)


def _copy(given: Path, work: Path, paths: list[str]) -> None:
    *sources, target = paths
    for source in sources:
        origin, to = given / source, work / target
        if origin.is_dir():
            shutil.copytree(origin, to, dirs_exist_ok=True)
        else:
            to = to / origin.name if target.endswith("/") else to
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, to)


def _run(command: str, work: Path, environment: Mapping[str, str]) -> None:
    print("RUN", command, file=sys.stderr)
    subprocess.run(["/bin/sh", "-euc", command], cwd=work, env=dict(environment), check=True)


def main() -> int:
    """Build it, and ask what comes out for its version, in an environment that knows nothing of this repository."""
    with tempfile.TemporaryDirectory() as folder:
        made = build(Path(folder))
        for arguments in (["--version"], ["topics", "list", "--json"], ["connect", "--help"], ["work", "--help"]):
            said = subprocess.run(
                [made / "bin/tricast", *arguments], cwd="/", env={"HOME": "/tmp"}, capture_output=True, check=True
            )
            print("tricast", *arguments, "->", said.stdout[:60].decode().strip().partition("\n")[0])
        size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file() and not path.is_symlink())
        print(f"{size / 2**20:.0f} MiB on top of the base image")
        if tools := [name for name in ("pip", "setuptools", "hatchling", "wheel") if [*made.rglob(name)]]:
            print("build tools came in:", *tools)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
