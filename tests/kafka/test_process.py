import subprocess

import psutil

from tricast.kafka.process import command_line


def test_command_line_is_known_from_the_first_moment():
    # psutil alone reads an empty one for about one process in five here.
    for _ in range(200):
        child = subprocess.Popen(["sleep", "60"])
        try:
            assert command_line(psutil.Process(child.pid)) == ["sleep", "60"]
        finally:
            child.kill()
            child.wait()
