"""Questions to a vendor's real service, each with an answer, and what to do about a bad one."""
