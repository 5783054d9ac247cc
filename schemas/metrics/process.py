"""Metrics of every process: how it stands, its event loop, and what it takes of the machine."""

from typing import Final

from schemas.metrics.metric import Metric

STATES: Final = ("ready", "degraded", "unready")

METRICS: Final = (
    Metric(
        name="tricast_process_info",
        part="process",
        kind="gauge",
        labels=("process", "version"),
        unit="processes",
        meaning="1; which process this is, and of which version.",
    ),
    Metric(
        name="tricast_process_state",
        part="process",
        kind="gauge",
        labels=("state",),
        unit="processes",
        meaning="1 for what /readyz answers now, 0 for the other two.",
        values={"state": STATES},
    ),
    Metric(
        name="tricast_process_alive",
        part="process",
        kind="gauge",
        unit="processes",
        meaning="1 while /livez answers 200: the event loop runs, and what there is to do moves, unless Kafka is away.",
    ),
    Metric(
        name="tricast_process_loop_lag_seconds",
        part="process",
        kind="histogram",
        unit="seconds",
        meaning="How late a task of the event loop wakes up that sleeps a quarter of a second, over and over.",
        buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    Metric(
        name="tricast_process_loop_silence_seconds",
        part="process",
        kind="gauge",
        unit="seconds",
        meaning="How long ago the event loop was last seen to run; all else of this page is as old as that.",
    ),
    Metric(
        name="tricast_process_cpu_seconds_total",
        part="process",
        kind="counter",
        unit="seconds",
        meaning="Processor time of this process, user and system.",
    ),
    Metric(
        name="tricast_process_resident_memory_bytes",
        part="process",
        kind="gauge",
        unit="bytes",
        meaning="Memory of this process that is in RAM.",
    ),
    Metric(
        name="tricast_process_virtual_memory_bytes",
        part="process",
        kind="gauge",
        unit="bytes",
        meaning="Address space of this process.",
    ),
    Metric(
        name="tricast_process_start_time_seconds",
        part="process",
        kind="gauge",
        unit="seconds",
        meaning="When this process started, since 1970.",
    ),
    Metric(
        name="tricast_process_open_fds",
        part="process",
        kind="gauge",
        unit="descriptors",
        meaning="Files and sockets that are open.",
    ),
    Metric(
        name="tricast_process_max_fds",
        part="process",
        kind="gauge",
        unit="descriptors",
        meaning="How many may be open.",
    ),
)
