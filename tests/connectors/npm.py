"""Servers and tools on Node: reference implementations that are not ours, installed once per lock file."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "node"


def absent(reason):
    """Skip where a person's machine lacks something; in CI nothing may be lacking."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI has to have it)")
    pytest.skip(reason)


def install(cache, sources=SOURCES):
    """Return a folder with what is in ``sources``, scripts and lock file, and the packages of that."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("Node and npm are not installed: what is not ours is not tried")
    lock = (sources / "package-lock.json").read_bytes()
    folder = cache.mkdir(f"node-{hashlib.sha256(lock).hexdigest()[:12]}")
    for source in sources.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    if not all((folder / "node_modules" / package).is_dir() for package in _packages(sources)):
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            absent(f"npm could not install what {sources.name} needs: {done.stderr.strip()[-300:]}")
    return folder


def _packages(sources):
    return json.loads((sources / "package.json").read_text())["dependencies"]


class NodeServer:
    def __init__(self, process, port):
        self._process = process
        self.address = f"127.0.0.1:{port}"

    async def says(self):
        return json.loads(await self._process.stdout.readline())

    def order(self, **command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")


@asynccontextmanager
async def node(folder, script, *arguments):
    process = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield NodeServer(process, json.loads(await process.stdout.readline())["port"])
    finally:
        process.kill()
        await process.wait()
