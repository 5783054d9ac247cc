"""The product beside a real Prometheus, struck once: who says so, and how soon.

Each scenario is watched by four witnesses (status page, ``tricast status``, ``/readyz`` of the part that is struck, the
alert rules) and may be recorded as a promtool test of the rules: ``tests/deploy/recorded``.
"""
