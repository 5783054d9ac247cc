"""``docs/rights.md``, made of the roles."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy.access.roles import Role, Rule, roles

PAGE: Final = Path(__file__).parents[2] / "docs" / "rights.md"
PREFIX: Final = "tricast."
"""Default of the prefix setting."""

_HEAD: Final = f"""\
# Rights in Kafka

Made of the topic registry and `deploy/access/roles.py` by `python -m deploy.access --page`; do not edit it. One user a
role: each may do its work, and nothing else. `tests/security/roles` tries both on a real broker with SCRAM and
Kafka's own authorizer: the parts themselves do their work as these users, and what is not in these tables is refused.

The brokers need an authorizer (`authorizer.class.name`), `allow.everyone.if.no.acl.found=false`, and users of their own
in `super.users`. With Strimzi: `deploy/strimzi/users.yaml`. Without it, `python -m deploy.access [PREFIX]` prints a
call of `kafka-acls.sh` for each rule, to be read and run; users and passwords come first:

```
kafka-configs.sh --bootstrap-server KAFKA:9092 --command-config admin.properties \\
  --alter --entity-type users --entity-name tricast-worker-kambi --add-config 'SCRAM-SHA-512=[password=…]'
python -m deploy.access | sed 's/KAFKA:9092/KAFKA:9092 --command-config admin.properties/' | sh -ex
```

`--add` changes nothing about a rule that is there already; a rule that a new version no longer has stays until it is
removed (`kafka-acls.sh --list` shows all). Names have the prefix `{PREFIX}` unless `TRICAST_TOPIC_PREFIX` says
otherwise; `…*` means: whatever begins so. `Read` and `Write` imply `Describe`. Whoever may `Write` a topic may be an
idempotent producer (brokers before 3.0: grant `IdempotentWrite` on the cluster, too).

What is missing is told by whoever misses it: which operation, on what. A command ends with 3, a worker with 3 (its
supervisor starts it again, with growing delays: rights may be about to come), a connector says it at every attempt and
keeps what the vendor sends in its spool. Where a user may not even see a topic, Kafka shows it as if it were not there.

Not in any role: `tricast replay --write-topics PREFIX` (create and write under another prefix), `tricast up` (a Kafka
of its own, without users), deleting topics, changing their settings, and rights themselves: the administrator's.
"""


def rendered() -> str:
    """Return the page."""
    every = roles(PREFIX)
    return "\n".join([_HEAD, *(line for role in every for line in _section(role))])


def _section(role: Role) -> Iterator[str]:
    yield f"## {role.name}\n"
    yield f"{role.purpose}\n"
    yield "| on | | may |\n|---|---|---|"
    yield from map(_row, role.rules)
    yield ""


def _row(rule: Rule) -> str:
    kind = {"transactionalId": "transactional id"}.get(rule.kind, rule.kind)
    name = "" if rule.kind == "cluster" else f"`{rule.name}{'…*' if rule.prefixed else ''}`"
    return f"| {kind} | {name} | {', '.join(rule.operations)} |"
