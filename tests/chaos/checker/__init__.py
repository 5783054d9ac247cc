"""The independent checker: from ledgers, topics, segments and the history alone, was anything lost, twice or wrong?

It imports nothing of the product and nothing of the tests outside this folder (``test_alone.py`` proves it): what it
knows stands in ``docs/``, in the JSON Schemas and in the vendors' sheets. Judging is pure, over iterables; reading is
thin, so that a fault can be planted in any of them.
"""
