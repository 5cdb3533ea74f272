"""docs/security.md against the tests that it names, and docs/delivery.md against the configuration."""

import re
from pathlib import Path

import pytest

from eventhive.cli.chaos.schedule import KINDS
from eventhive.config import build
from eventhive.gateway import hearing, lane, outlet
from eventhive.gateway.bridge import MAX_UNACKNOWLEDGED
from eventhive.settings import Settings
from eventhive.spool_config import QUOTA

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "docs/security.md").read_text(encoding="utf-8")
DELIVERY = (ROOT / "docs/delivery.md").read_text(encoding="utf-8")

HOLES = SECURITY.partition("## Classes of holes")[2].partition("|---|---|---|\n")[2].strip().splitlines()
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", SECURITY)


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_it_names(path: str, name: str) -> None:
    assert name
    assert re.search(rf"^ *(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_each_class_has_a_test_or_says_why_not() -> None:
    assert len(HOLES) == 12
    for row in HOLES:
        assert "`tests/" in row or "in this version" in row, row


def test_the_example_is_a_configuration() -> None:
    found = re.search(r"```yaml\n(.*?)```", DELIVERY, re.DOTALL)
    assert found
    settings = Settings()
    settings.read_string(found[1])
    config = build(settings)
    assert config.connectors["my-hive"].once
    assert config.gateway and config.gateway.spool
    assert (config.gateway.spool.share.quota, config.gateway.spool.of("my-hive").quota) == (QUOTA, 1048576)


def test_the_constants() -> None:
    assert f"does not ({outlet.UNCONFIRMED_S:g} s, or an outage)" in DELIVERY
    assert hearing.UNHEARD_S == 10 and "nobody has confirmed for ten seconds" in DELIVERY
    assert hearing.WAITING_S == 0.5 and "for half a second, its name is asked for" in DELIVERY
    assert (lane.FIRST_RETRY_S, lane.MAX_RETRY_S) == (1, 5) and "for a\nsecond (then two, then five)" in DELIVERY
    assert f"more than {MAX_UNACKNOWLEDGED} events" in SECURITY


def test_the_readme_gives_the_promise_word_by_word() -> None:
    promise = re.search(r"(^> .*\n)+", DELIVERY, re.MULTILINE)
    assert promise
    assert promise[0] in (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"gateway-kill", "hive-kill", "disk-full"} < set(KINDS)
