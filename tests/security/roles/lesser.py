"""Users who lack a right of their role, and what nobody may be told then."""

from collections.abc import Callable

from deploy.access.roles import roles
from tests.security.acls import Right, of_role
from tests.security.intent import PREFIX

UNTOLD = ("Traceback", "kafka.unavailable", "Authorization", "lacks")
"""What nothing says that has all its rights."""


def lesser(role: str, user: str, lost: Callable[[Right], bool]) -> set[Right]:
    """Return the rights of ``role`` for ``user``, without those that ``lost`` says."""
    (found,) = (each for each in roles(PREFIX) if each.name == role)
    return {right._replace(user=user) for right in of_role(found) if not lost(right)}
