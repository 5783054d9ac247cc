"""Becomes the Java process of the job, on the core that its assignment says; the option ``class_path`` has its jars."""

import os
from pathlib import Path

from benchmarks.peer import Assignment
from tricast.kafka.java import java_command, java_environment

MAIN = "StreamsJob"
HEAP = ("-Xms512m", "-Xmx512m")


def main() -> None:
    assignment = Assignment.taken()
    class_path = [Path(entry) for entry in str(assignment.options["class_path"]).split(os.pathsep)]
    arguments = (assignment.bootstrap, assignment.prefix, str(assignment.frames), str(assignment.warm_up))
    options = (*HEAP, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
    command = java_command(class_path, options, MAIN, *arguments)
    os.execve(command[0], command, java_environment())


if __name__ == "__main__":
    main()
