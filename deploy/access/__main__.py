"""``python -m deploy.access``: the roles' rights, for a Kafka without Strimzi and for people.

``[PREFIX]`` prints a call of ``kafka-acls.sh`` for each rule; ``--page [--check]`` writes docs/rights.md, or says that
it is stale.
"""

import shlex
import sys
from typing import Final

from deploy.access.page import PAGE, PREFIX, rendered
from deploy.access.roles import Role, Rule, roles

_OPTIONS: Final = {"topic": "--topic", "group": "--group", "transactionalId": "--transactional-id"}


def arguments(role: Role, rule: Rule) -> list[str]:
    """Return what follows ``kafka-acls.sh --bootstrap-server …`` for one rule."""
    allowed = [part for operation in rule.operations for part in ("--operation", operation)]
    if rule.kind == "cluster":
        resource = ["--cluster"]
    else:
        pattern = "prefixed" if rule.prefixed else "literal"
        resource = [_OPTIONS[rule.kind], rule.name, "--resource-pattern-type", pattern]
    return ["--add", "--allow-principal", f"User:{role.name}", *allowed, *resource]


def main(argv: list[str]) -> int:
    """Print one line a rule, quoted for a shell; with ``--page`` see to docs/rights.md, 1 when it is stale."""
    if "--page" in argv:
        return _page(check="--check" in argv)
    for role in roles(argv[0] if argv else PREFIX):
        print(f"# {role.name}: {role.purpose}")  # noqa: T201 - its answer
        for rule in role.rules:
            print(shlex.join(["kafka-acls.sh", "--bootstrap-server", "KAFKA:9092", *arguments(role, rule)]))  # noqa: T201
    return 0


def _page(*, check: bool) -> int:
    text = rendered()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print("stale: docs/rights.md; run python -m deploy.access --page", file=sys.stderr)  # noqa: T201 - its answer
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
