"""Which output of a model means what, read from its names and never guessed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kgrag.errors import SettingsError

Role = Literal["supported", "contradicted", "other"]

_ROLES: Final[dict[str, Role]] = {
    **dict.fromkeys(
        "entailment entails entail entailed supported supports support consistent faithful "
        "grounded factual nothallucinated".split(),
        "supported",
    ),
    **dict.fromkeys(
        "contradiction contradicts contradictory contradicted contradict refuted refutes "
        "refute".split(),
        "contradicted",
    ),
    **dict.fromkeys(
        "neutral notentailment unsupported notsupported inconsistent hallucinated hallucination "
        "nei notenoughinfo unfaithful notgrounded ungrounded".split(),
        "other",
    ),
}


@dataclass(frozen=True, slots=True)
class Labels:
    """The output that means supported, and the one that means contradicted, where there is one."""

    supported: int
    contradicted: int | None


def read_labels(config: Any, given: Sequence[str], *, folder: object) -> Labels:
    """What the outputs of a model of that configuration mean.

    ``given`` replaces the names of the configuration. SettingsError when a name is none that is
    known ("LABEL_0" says nothing), when none or several mean supported, or their number is wrong.
    """
    names = list(given) or [config.id2label[i] for i in range(config.num_labels)]
    if len(names) != config.num_labels:
        raise SettingsError(
            f"verification.labels names {len(names)} outputs, the model in {folder} has "
            f"{config.num_labels}"
        )
    roles = [_ROLES.get(re.sub(r"[^a-z]", "", str(name).lower())) for name in names]
    if None in roles or roles.count("supported") != 1 or roles.count("contradicted") > 1:
        raise SettingsError(
            f"the outputs of the model in {folder} are named {', '.join(map(str, names))}: "
            "which of them means supported cannot be told",
            hint='set verification.labels, e.g. ["entailment", "neutral", "contradiction"]',
        )
    against = roles.index("contradicted") if "contradicted" in roles else None
    return Labels(roles.index("supported"), against)
