"""RMS under kills of every part, and what must never be seen of its secrets; see ``__main__``."""
