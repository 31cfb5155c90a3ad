"""The rules of the decision by version: a record says by which it was decided, and replays by that one."""

from entitlements.rules import v1, v2

RULES = {1: v1.weigh, 2: v2.weigh}
