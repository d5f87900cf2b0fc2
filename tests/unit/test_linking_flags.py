# ruff: noqa: E501 -- a sentence and what is wanted of it stand on one line
"""Each flag on the language of guidelines: a list the rules were mended by, and one held out.

A line is: sentence | mention | flags. All other mentions of the sentence must bear no flag, but
for those named after a further bar as ``mention: flags``. The held-out list was written before
any rule was run on it, and which of its lines are wrong was never read: 30 of 50 were right with
the rules as they were, 37 after they were mended by the other list.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kgrag.linking import Linker
from kgrag.linking.learned import Learned
from kgrag.testing.lexicon import small_lexicon

FLAGS = ("negated", "hypothetical", "family", "historical", "absent", "against")

MENDED_BY = """
The patient denies edema. | edema | negated
There is no evidence of heart failure or anemia. | heart failure | negated | anemia: negated
Neither hypertension nor edema was present. | hypertension | negated | edema: negated
Metformin does not cause edema. | edema | negated
Heart failure has been excluded. | Heart failure | negated
The echocardiogram ruled out heart failure. | heart failure | negated
Warfarin is not associated with anemia. | anemia | negated
Aspirin did not reduce hypertension. | hypertension |
There was no significant difference in anemia between groups. | anemia |
Hypertension is not only common but also treatable. | Hypertension |
Do not use aspirin in anemia. | aspirin | against
Aspirin should not be given to adults with anemia. | Aspirin | against
Do not routinely offer aspirin to people with hypertension. | aspirin | against
Metformin must not be used in heart failure. | Metformin | against
Metformin should be avoided in heart failure. | Metformin | against
We recommend against warfarin in hypertension. | warfarin | against
Warfarin is contraindicated in anemia. | Warfarin | against
Warfarin is not contraindicated in hypertension. | Warfarin |
Aspirin should not be withheld in hypertension. | Aspirin |
Clinicians should not use colonoscopy to screen for diabetes. | colonoscopy | against | diabetes: hypothetical
In the absence of heart failure, give metformin. | heart failure | absent
Adults without diabetes or hypertension need no aspirin. | diabetes | absent | hypertension: absent, aspirin: negated
Offer metformin to people who do not have heart failure. | heart failure | absent
If there is no anemia, continue warfarin. | anemia | absent
Offer colonoscopy if anemia is present. | anemia | hypothetical
Monitor for edema during treatment. | edema | hypothetical
In diabetes, aspirin should not be used. | aspirin | against
Aspirin, warfarin and metformin should not be used. | warfarin | against | Aspirin: against, metformin: against
Suspected heart failure should be confirmed. | heart failure | hypothetical
People at risk of diabetes should be tested. | diabetes | hypothetical
Aspirin for the prevention of heart failure | heart failure | hypothetical
Her mother had diabetes. | diabetes | family
Ask about a family history of hypertension. | hypertension | family
A first-degree relative with diabetes raises the risk. | diabetes | family
He has a past history of heart failure. | heart failure | historical
Previous anemia does not exclude treatment. | anemia | historical
""".strip()

HELD_OUT = """
No signs of heart failure were found on examination. | heart failure | negated
She did not develop anemia. | anemia | negated
Anemia was not observed in any patient. | Anemia | negated
The test was negative for diabetes. | diabetes | negated
Patients remained free of edema. | edema | negated
Normal blood counts make anemia unlikely. | anemia | negated
Aspirin showed no benefit in hypertension. | Aspirin | | hypertension:
Hypertension was no longer present after treatment. | Hypertension | negated
No patient had heart failure. | heart failure | negated
Edema without anemia suggests heart failure. | anemia | absent
Avoid metformin in people with heart failure. | metformin | against
Aspirin is not recommended for adults with diabetes. | Aspirin | against
Do not prescribe warfarin to people with anemia. | warfarin | against
The use of aspirin in hypertension is discouraged. | aspirin | against
Metformin should be stopped if heart failure develops. | Metformin | against | heart failure: hypothetical
Clinicians should refrain from starting warfarin. | warfarin | against
Evidence is insufficient to recommend aspirin. | aspirin |
Aspirin can be used safely in hypertension. | Aspirin |
There is no contraindication to metformin. | metformin |
The task force recommends against routine colonoscopy in adults over 85. | colonoscopy | against
Warfarin should never be combined with aspirin. | Warfarin | against
Aspirin is preferred to warfarin unless anemia is present. | anemia | hypothetical
Treatment with metformin is not advised in anemia. | metformin | against
Aspirin should not be delayed in adults with diabetes. | Aspirin |
For adults with no history of diabetes, offer testing. | diabetes | absent
In non-diabetic adults, hypertension is treated with aspirin. | hypertension |
Give warfarin to patients who have never had anemia. | anemia | absent
Adults in whom heart failure has been ruled out may receive metformin. | heart failure | negated
If diabetes is suspected, measure glucose. | diabetes | hypothetical
Should edema occur, stop metformin. | edema | hypothetical
Warfarin increases the risk of anemia. | anemia | hypothetical
Possible hypertension must be confirmed by repeated measurement. | hypertension | hypothetical
When heart failure is present, avoid metformin. | heart failure | hypothetical | metformin: against
Screening for hypertension is recommended in adults. | hypertension | hypothetical
Consider diabetes in adults with fatigue. | diabetes | hypothetical
Aspirin prevents heart failure. | heart failure | hypothetical
Diabetes in a sibling doubles the risk. | Diabetes | family
His father and brother have hypertension. | hypertension | family
A parental history of diabetes was recorded. | diabetes | family
There is no family history of diabetes. | diabetes | family
Women with a history of anemia should be tested. | anemia | historical
Adults who have had heart failure in the past need care. | heart failure | historical
A prior episode of heart failure is a risk factor. | heart failure | historical
She was treated for anemia ten years ago. | anemia | historical
The patient has heart failure and takes warfarin. | heart failure |
Adults with hypertension should receive aspirin. | hypertension |
Metformin is the first choice in diabetes. | Metformin |
Not all adults with diabetes need metformin. | diabetes |
Whether aspirin helps in heart failure is unknown. | heart failure |
No adult should go without treatment of hypertension. | hypertension |
""".strip()


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linker]:
    with small_lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite") as lexicon:
        yield Linker(lexicon, Learned())


def _wanted(line: str) -> tuple[str, dict[str, set[str]]]:
    sentence, mention, flags, *more = (cell.strip() for cell in line.split("|"))
    wanted = {mention: set(flags.split())}
    for item in ",".join(more).split(","):
        if item.strip():
            name, _, its = item.partition(":")
            wanted[name.strip()] = set(its.split())
    return sentence, wanted


def _is_right(linker: Linker, line: str) -> bool:
    sentence, wanted = _wanted(line)
    found = {m.text: {flag for flag in FLAGS if getattr(m, flag)} for m in linker.link(sentence)}
    assert set(wanted) <= set(found), f"{sentence}: {sorted(found)}"
    return all(flags == wanted.get(name, set()) for name, flags in found.items())


@pytest.mark.parametrize("line", MENDED_BY.splitlines())
def test_flags_of_guideline_language(linker: Linker, line: str) -> None:
    assert _is_right(linker, line)


def test_held_out_sentences(linker: Linker) -> None:
    lines = HELD_OUT.splitlines()
    wrong = [line for line in lines if not _is_right(linker, line)]
    assert len(lines) == 50
    assert len(wrong) <= 13, wrong
