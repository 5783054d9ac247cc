"""Commands as processes of their own, with the settings of a test and no others."""

import asyncio
import os
import sys
from contextlib import asynccontextmanager


@asynccontextmanager
async def tricast(*arguments, environment):
    variables = {key: value for key, value in os.environ.items() if not key.startswith("TRICAST_")}
    command = (sys.executable, "-m", "tricast", *arguments)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, env=variables | environment, stdout=pipe, stderr=pipe)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
