"""``python -m deploy.access [PREFIX]``: a call of ``kafka-acls.sh`` for each rule, for a Kafka without Strimzi."""

import shlex
import sys
from typing import Final

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
    """Print one line a rule, quoted for a shell."""

    for role in roles(argv[0] if argv else "tricast."):
        print(f"# {role.name}: {role.purpose}")  # noqa: T201 - its answer
        for rule in role.rules:
            print(shlex.join(["kafka-acls.sh", "--bootstrap-server", "KAFKA:9092", *arguments(role, rule)]))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
