"""What a question asks, by the phrases of ``ontologies/intents.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Final, get_args

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.reasoning.phrases import compiled, plain
from kgrag.records.analysis import Intent
from kgrag.retrieval.rewrite import read_message

# A weak word counts only where no phrase names what is asked.
_STRONG: Final = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """Phrases that tell of one intent, and how surely: 3 at most."""

    intent: Intent
    strength: int
    pattern: re.Pattern[str]


@cache
def rules() -> tuple[Rule, ...]:
    """The rules of the data file, the strongest first; SettingsError when it is not sound."""
    path = resource("ontologies", "intents.toml")
    known = get_args(Intent)
    found: list[Rule] = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["rule"]:
        if entry["intent"] not in known:
            raise SettingsError(f"{path.name} names an unknown intent: {entry['intent']!r}")
        found.append(Rule(entry["intent"], entry["strength"], compiled(entry["phrases"])))
    return tuple(sorted(found, key=lambda rule: -rule.strength))


def intents(question: str) -> tuple[Intent, ...]:
    """All that the question asks, the main intent first; ("other",) when no rule speaks.

    The main one has the strongest phrase and, of these, the first. ``yes_no`` follows what it is
    asked about. Of a long message only the sentences that ask are read.
    """
    message = read_message(question)
    text = plain(message.of("asks") if message is not None else question)
    found: dict[Intent, tuple[int, int]] = {}
    for rule in rules():
        if rule.intent in found:
            continue
        match = rule.pattern.search(text)
        if match is not None:
            found[rule.intent] = (-rule.strength, match.start())
    strongest = min((rank for intent, rank in found.items() if intent != "yes_no"), default=(0, 0))
    if -strongest[0] >= _STRONG:
        found = {i: r for i, r in found.items() if i == "yes_no" or -r[0] >= _STRONG}
    ordered = sorted(found, key=lambda intent: (intent == "yes_no", found[intent]))
    return tuple(ordered) or ("other",)
