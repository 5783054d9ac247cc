"""The join: bets, what the vendor said about them, and time come to one final decision per referred bet.

Every bet slip and every bet code has one stream task that owns it. A code's task tells the slip's task what came for
the code; time goes to every task. ``processor.py`` is the door; ``judge.py`` and ``deadline.py`` are the rules.
"""
