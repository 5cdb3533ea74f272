"""docs/secret.md against the code: its constants, its example, and what its vectors are called."""

import re
from pathlib import Path

from eventhive.config import build
from eventhive.seals import base, replays, strict
from eventhive.secret import Secret
from eventhive.settings import Settings

TEXT = (Path(__file__).parents[1] / "docs/secret.md").read_text(encoding="utf-8")


def test_the_constants() -> None:
    assert f"N = {strict.SCRYPT_N}, r = {strict.SCRYPT_R}, p = {strict.SCRYPT_P}" in TEXT
    assert f"among the last {replays.MAX_MARKS:,}" in TEXT
    assert f"that is {replays.WINDOW} or more behind" in TEXT
    assert f"At\n   most {strict.MAX_SENDERS} are remembered" in TEXT
    assert strict.FRESH_MS == 5 * 60 * 1000 and "within five minutes of the receiver's" in TEXT
    assert f'{{"{base.STRICT_MEMBER}": base64(' in TEXT
    assert strict.LABEL == b"eventhive strict 1\0" and 'salt = "eventhive strict 1" || 00 || network' in TEXT


def test_the_example_is_a_configuration() -> None:
    found = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    settings = Settings()
    settings.read_string(found[1])
    assert build(settings).connectors["my-hive"].secret == Secret("a long and random one", "strict")
