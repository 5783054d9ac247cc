"""``python -m tests.deploy.image``: the steps of the image, as they stand, without an engine.

Of the first stage in an empty directory: the image's absolute paths lie below it. With ``--whole`` of both, each in a
root file system of its own, and then its commands as the image's user. In place of the base image it makes a bare
Debian of the same release with ``debootstrap``, with this Python below /usr/local and this machine's certificates; that
needs root. COPY copies what ``.dockerignore`` lets in.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy/docker/Dockerfile"
IGNORE: Final = ROOT / ".dockerignore"
FINAL_USER: Final = "10001:10001"
TOOLS: Final = ("pip", "setuptools", "hatchling", "wheel")
_BASE: Final = re.compile(r"python:(?P<python>\d+\.\d+)\.\d+-slim-(?P<release>[a-z]+)")
"""What both stages begin with."""
LIBRARIES: Final = (
    "ca-certificates",
    "libbz2-1.0",
    "libffi8",
    "liblzma5",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "libuuid1",
)
"""What Python is linked against, and the base image has, too."""
_CHROOT: Final = shutil.which("chroot") or "chroot"
_FROM_HOST: Final = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
_FOR_EVERYBODY: Final = ("/dev", "/proc", "/tmp", "/var/tmp", "/run/lock")
"""Where every user of any Debian may write."""
_OURS: Final = re.compile(r"(?<![\w./-])/(src|build|wheels|opt/tricast)(?![\w-])")
"""Folders that the first stage makes."""
_TRIED: Final = (["--version"], ["topics", "list", "--json"], ["connect", "--help"], ["work", "--help"])
_BROUGHT: Final = (
    *("HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT", "PIP_DEFAULT_TIMEOUT"),
)
"""What a build is told of this machine: the way to the package index."""


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


class Place(Protocol):
    """Where a stage is made."""

    def path(self, inside: str) -> Path:
        """Return where an absolute path of the image is."""
        ...

    def run(self, command: str, work: str, environment: Mapping[str, str], user: str) -> None:
        """Run a command of the shell in the image's directory ``work``."""
        ...


class Directory:
    """An empty directory: commands see the base system of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, inside: str) -> Path:
        below = Path(self._below(inside))
        if not below.is_relative_to(self._folder):
            raise ValueError(f"{inside}: not below the folders that the first stage makes")
        return below

    def run(self, command: str, work: str, environment: Mapping[str, str], user: str) -> None:
        assert not user, "nobody else can be asked for here"
        # The image's `python`: the one below this environment.
        known = {"PATH": f"{sys.base_prefix}/bin:{os.environ['PATH']}"} | dict(environment)
        subprocess.run(["/bin/sh", "-euc", self._below(command)], cwd=self.path(work), env=known, check=True)

    def _below(self, text: str) -> str:
        return _OURS.sub(lambda found: f"{self._folder}/{found[1]}", text)


class Root:
    """A root file system: commands see nothing else, save the network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, inside: str) -> Path:
        return self.folder / inside.lstrip("/")

    def run(self, command: str, work: str, environment: Mapping[str, str], user: str) -> None:
        known = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"} | dict(environment)
        subprocess.run(
            [_CHROOT, f"--userspec={user or '0:0'}", self.folder, "/bin/sh", "-euc", f"cd {work}; {command}"],
            env=known,
            check=True,
        )


@dataclass(slots=True)
class Stage:
    """What a stage has come to."""

    place: Place
    environment: dict[str, str] = field(default_factory=dict)
    work: str = "/"
    user: str = ""
    entrypoint: list[str] = field(default_factory=list)

    def take(self, step: Step, given: Path, others: Mapping[str, "Stage"]) -> None:
        """Do one step; ``given`` is the context, ``others`` are the stages before, by name."""
        match step.verb:
            case "ENV":
                self.environment |= dict(part.split("=", 1) for part in shlex.split(step.rest))
            case "WORKDIR":
                self.work = step.rest
                self.place.path(self.work).mkdir(parents=True, exist_ok=True)
            case "COPY":
                *sources, target = shlex.split(step.rest)
                if sources[0].startswith("--from="):
                    other = others[sources.pop(0).removeprefix("--from=")]
                    origins = [other.place.path(source) for source in sources]
                else:
                    origins = [given / source for source in sources]
                _copy(origins, self.place.path(f"{self.work}/{target}" if target[0] != "/" else target), target)
            case "RUN":
                print("RUN", step.rest, file=sys.stderr)
                self.place.run(step.rest, self.work, _brought() | self.environment, self.user)
            case "USER":
                self.user = step.rest
            case "ENTRYPOINT":
                self.entrypoint = json.loads(step.rest)
            case "HEALTHCHECK" | "CMD":
                pass
            case other:
                raise ValueError(f"{other}: this script does not know what it does")


def build(folder: Path) -> Path:
    """Run the first stage below ``folder``; return where the environment is that goes into the image."""
    given = _given(folder)
    stage = Stage(Directory(folder))
    for step in stages(DOCKERFILE.read_text())[0][1:]:
        stage.take(step, given, {})
    return stage.place.path("/opt/tricast")


def build_whole(folder: Path) -> tuple[Root, Stage]:
    """Run both stages, each in a copy of a base system made below ``folder``; return the last, which is the image."""
    given, base = _given(folder), folder / "base"
    _make_base(base)
    made: dict[str, Stage] = {}
    first, last = stages(DOCKERFILE.read_text())
    _stage(folder / "first", base, first, given, made)
    return _stage(folder / "last", base, last, given, made)


def _stage(folder: Path, base: Path, steps: list[Step], given: Path, made: dict[str, Stage]) -> tuple[Root, Stage]:
    subprocess.run(["cp", "--archive", base, folder], check=True)
    root = Root(folder)
    stage = Stage(root)
    for step in steps[1:]:
        stage.take(step, given, made)
    made[steps[0].rest.partition(" AS ")[2]] = stage
    return root, stage


def _make_base(base: Path) -> None:
    include = f"--include={','.join(LIBRARIES)}"
    release = _base()["release"]
    subprocess.run(["debootstrap", "--variant=minbase", include, release, base], check=True, stdout=sys.stderr)
    root = Root(base)
    for name in _FROM_HOST:
        shutil.copy(name, root.path(name))
    packages = shutil.ignore_patterns("site-packages", "__pycache__", "test")
    for part in ("bin", "lib"):
        to = root.path(f"/usr/local/{part}")
        shutil.copytree(Path(sys.base_prefix) / part, to, symlinks=True, dirs_exist_ok=True, ignore=packages)
    root.run("ldconfig && python -m ensurepip", "/", {}, "")


def _base() -> re.Match[str]:
    [name] = {stage[0].rest.split()[0] for stage in stages(DOCKERFILE.read_text())}
    found = _BASE.fullmatch(name)
    assert found is not None, name
    return found


def _lacking() -> Iterator[str]:
    """Yield what this machine has not and both stages need."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if os.geteuid() != 0:
        yield "root"
    yield from (f"{name} (Debian: apt install {name})" for name in ("debootstrap",) if shutil.which(name) is None)
    if version != _base()["python"]:
        yield f"to run on Python {_base()['python']}, as the image does; this is {version}"
    if sys.base_prefix == "/usr":
        yield "a Python outside /usr, which it can copy"
    yield from (name for name in _FROM_HOST if not Path(name).is_file())


def _given(folder: Path) -> Path:
    given = folder / "context"
    for path in context():
        (given / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, given / path)
    return given


def _brought() -> dict[str, str]:
    return {name: os.environ[name] for name in _BROUGHT if name in os.environ}


def _copy(origins: list[Path], target: Path, written: str) -> None:
    for origin in origins:
        if origin.is_dir():
            shutil.copytree(origin, target, symlinks=True, dirs_exist_ok=True)
        else:
            to = target / origin.name if written.endswith("/") else target
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(origin, to)


def main() -> int:
    """Build it and try its commands, in an environment that knows nothing of this repository."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--whole", action="store_true", help="both stages; needs root and debootstrap")
    whole = parser.parse_args().whole
    if whole and (lacking := list(_lacking())):
        parser.error(f"--whole needs {', '.join(lacking)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return _try_whole(*build_whole(folder)) if whole else _try_first(build(folder))


def _try_first(made: Path) -> int:
    for arguments in _TRIED:
        said = subprocess.run(
            [made / "bin/tricast", *arguments], cwd="/", env={"HOME": "/tmp"}, capture_output=True, check=True
        )
        print("tricast", *arguments, "->", said.stdout[:60].decode().strip().partition("\n")[0])
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file() and not path.is_symlink())
    print(f"{size / 2**20:.0f} MiB on top of the base image")
    if tools := [name for name in TOOLS if [*made.rglob(name)]]:
        print("build tools came in:", *tools)
        return 1
    return 0


def _try_whole(root: Root, image: Stage) -> int:
    def ask(command: str) -> None:
        print(f"{image.user}$ {command}", flush=True)
        root.run(command, image.work, image.environment, image.user)

    for arguments in _TRIED:
        ask(f'said=$({shlex.join([*image.entrypoint, *arguments])}) && echo "$said" | head -n 1 | cut -c -80')
    ask("id && touch here && ls -ld . here")
    known = " -o ".join(f"-path {path}" for path in (*_FOR_EVERYBODY, image.work))
    ask(f"! find / -xdev \\( {known} \\) -prune -o ! -type l -writable -print | grep .")
    ask("/usr/local/bin/python -c pass && ! /usr/local/bin/python -m pip && ! /usr/local/bin/python -m ensurepip")
    if tools := [path for name in TOOLS for part in ("usr/local", "opt") for path in (root.folder / part).rglob(name)]:
        print("there is something to install with:", *tools)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
