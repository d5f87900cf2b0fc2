"""A question that asks several things, as the questions in it.

Nothing is split that may be one: a part begins with its own question word, or the question lists
aspects ("causes, symptoms and treatment of X") or names the two sides of a comparison. Each part
can be asked alone: pronouns give way to the subject, and a part without any subject gets it in
brackets behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kgrag.reasoning.phrases import plain
from kgrag.records.answer import Seed
from kgrag.retrieval.rewrite import read_message
from kgrag.sentences import sentences

MOST: Final = 4
_STORY_WORDS: Final = 60

_AUX: Final = r"(?:is|are|was|were|do|does|did|can|could|should|would|will|has|have|may|might|must)"
_WH: Final = r"(?:what|how|which|why|when|where|who|whom|whose)"
# The second half of "What is gout and how is it treated?" begins with its own question word; an
# auxiliary alone begins one only before a pronoun or an article ("and is it safe in pregnancy").
_JOINT: Final = re.compile(
    rf"(?:,\s{{0,3}}|\s)(?:and|or|but|also|as\swell\sas)\s(?:also\s|if\sso,?\s|then\s)?"
    rf"(?=(?:at\s|in\s|for\s|to\s|with\s|by\s)?{_WH}\s\w|"
    rf"{_AUX}\s(?:it|its|they|their|there|this|these|that|those|the|a|an|i|we|he|she)\s)"
    rf"|,\s{{1,3}}(?={_WH}\s{_AUX}\s)"
)
_ASKS: Final = re.compile(rf"(?:\w+,?\s){{0,8}}?(?:{_WH}|{_AUX})\b")
_CLAUSE: Final = re.compile(
    rf"(?:(?:at|in|for|to|with|by)\s)?{_WH}\b(?:\s[\w'-]+){{0,6}}?\s{_AUX}\b|{_AUX}\s|"
    rf"{_WH}\s\w+s\s|{_WH}\s\w+\s\w+|{_WH}\s(?:causes|caused|helps|happens|triggers|works|much|"
    rf"many)"
)
# "Who and when", "how and why": one question with two question words.
_BARE: Final = re.compile(rf"\W*{_WH}\W*", re.I)
_RELATIVE: Final = re.compile(r"which\s(?:is|are|was|were|has|have|do|does)\b")
_SPEECH: Final = re.compile(
    r"\b(?:know|explain|understand|tell|wonder|sure|clear|decide|describe|say|unclear|about|on|of)"
    r"(?:\s(?:me|us|if))?\s*$"
)

_ASPECT: Final = (
    r"(?:(?:common|main|early|late|typical|possible|known|usual|recommended|best|initial|"
    r"first-line|"
    r"current|long-term|major)\s)?(?:causes?|symptoms?|signs|signs\sand\ssymptoms|risk\sfactors|"
    r"diagnosis|diagnoses|treatments?|therapy|management|prognosis|complications|prevention|"
    r"etiology|aetiology|pathogenesis|pathophysiology|epidemiology|prevalence|incidence|"
    r"side\seffects|"
    r"adverse\seffects|contraindications?|indications?|dose|doses|dosage|interactions|"
    r"mechanism(?:\sof\saction)?|definition|investigations|tests|clinical\sfeatures)"
)
_ASPECTS: Final = re.compile(
    rf"(?P<list>{_ASPECT}(?:,\s(?:and\s|or\s)?(?:the\s)?{_ASPECT}){{0,5}},?\s(?:and|or|"
    rf"as\swell\sas)\s"
    rf"(?:the\s|its\s)?{_ASPECT})(?P<of>\s(?:of|for|in)\s)"
)
_SINGLE: Final = re.compile(
    r",\s(?:and\s|or\s)?(?:the\s)?|\s(?:and|or|as\swell\sas)\s(?:the\s|its\s)?"
)

_SIDE: Final = r"(?P<{0}>[\w][\w' /+%-]{{1,60}}?)"
_TAIL: Final = (
    r"(?P<rest>\s(?:for|in|as|to|during|among|after|before|when|at|on)\s[^?]{1,200})?"
    r"\s{0,3}\?{0,9}\s{0,3}\Z"
)
_DIFFERENCE: Final = re.compile(
    r"\b(?:differences?\s(?:\w+\s){0,3}?between|distinguish(?:\sbetween)?|"
    r"differentiate(?:\sbetween)?|compare|comparison\s(?:of|between)|choose\sbetween|"
    r"choosing\sbetween)\s"
    + _SIDE.format("one")
    + r"\s(?:and|from|with|to|versus|vs\.?)\s"
    + _SIDE.format("other")
    + _TAIL
)
_VERSUS: Final = re.compile(
    r"(?:\A|.*?\b(?:is|are|does|do|of|for|use|with|how|about)\s)"
    + _SIDE.format("one")
    + r"\s(?:versus|vs\.?|compared\s(?:with|to))\s"
    + _SIDE.format("other")
    + _TAIL
)
_THAN: Final = re.compile(
    r"\A(?:is|are|does|do|was|were)\s"
    + _SIDE.format("one")
    + r"\s(?:\w+\s){0,3}?(?:better|worse|safer|superior|inferior|preferred|preferable|"
    r"(?:more|less|as|equally)\s\w+|\w+er)\s(?:than|to|as|over)\s" + _SIDE.format("other") + _TAIL
)
_OR: Final = re.compile(
    r"\A(?:which|what)\s[^?,:]{1,80}?(?P<stem>\s(?:in|for|during)\s[^?,:]{1,60})?[,:]\s"
    + _SIDE.format("one")
    + r"\sor\s"
    + _SIDE.format("other")
    + _TAIL
)

_LEADING: Final = re.compile(r"\A(?:and|or|but|also|then|so)\s", re.I)
# "Type 1 and type 2 diabetes", "chronic and acute pancreatitis": the last word is of both.
_UNFINISHED: Final = re.compile(
    r"(?:\w{2,40}(?:ic|al|ent|ant|ous|ive|ary|ar|ed)|(?<=\s)(?:\d\w?|i{1,3}|[a-d]))\Z", re.I
)
# Where the subject ends in "how is gout treated".
_VERB: Final = re.compile(r"\s(?:\w{2,}ed|start|stop|begin|be|given|spread|made|done|occur)\b")
_ASKS_FOR: Final = re.compile(
    r"(?:which|what)\s(?:\w+\s)?(?P<kind>drug|medication|medicine|antibiotic|treatment|therapy|test|"
    r"vaccine|statin|inhaler|cream|tablet|method|agent|dose|procedure|operation|diet)s?\b"
)
_OWN: Final = re.compile(r"\b(?P<word>its|their)\s(?=\w)")
_PRONOUN: Final = re.compile(
    r"\b(?P<word>it|they|them|this|that|these|those|this\s(?:disease|condition|disorder|drug|"
    r"medicine|"
    r"medication|infection|illness|syndrome|treatment|test)|the\s(?:disease|condition|disorder|"
    r"drug|medicine|medication|infection|illness|syndrome))\b(?!\s(?:patients?|people|women|men|"
    r"children|adults|is\sa|time|age|point|way|reason|results?)\b)"
)
_EXPLETIVE: Final = re.compile(
    r"(?:is|was|be|does|makes?|would|will)\sit\s(?:\w+\s){0,2}?(?:to|that|if|whether|for|when)\b|"
    r"\bit\s(?:is|was)\s\w+\s(?:to|that)\b"
)


def sub_questions(question: str, seeds: Sequence[Seed] = ()) -> tuple[str, ...]:
    """The questions in ``question``, at most ``MOST``; itself alone when it is one.

    ``seeds`` are its concepts: the subject of a part is the first one named before it, or what the
    first part asks of.
    """
    message = read_message(question)
    if message is not None and not any(s.role == "asks" for s in message.sentences):
        return (question,)
    asked, story = _asked(question)
    pieces = [piece for sentence in asked for piece in _clauses(sentence)]
    if len(pieces) == 1:
        lone = pieces[0].strip()
        parts = _aspects(lone) or _sides(lone)
        if not parts:
            return (question,)
        return tuple(_with_story(part, story) for part in parts[:MOST])
    if not pieces or len(pieces) > 3 * MOST:
        return (question,)
    subject, noun = _subject(pieces[0], seeds, question, story), _kind(pieces[0])
    whole: list[str] = []
    for at, piece in enumerate(pieces):
        stated = piece.strip()
        told = _with_story("", story) and subject in story and not _PRONOUN.search(plain(stated))
        if not told and (at or (seeds and not any(seed.text in piece for seed in seeds))):
            stated = _carried(stated, subject, noun if at else "", seeds)
        whole += _aspects(stated) or [_as_question(stated)]
    return tuple(_with_story(part, story) for part in dict.fromkeys(whole[:MOST]))


def _asked(question: str) -> tuple[list[str], str]:
    """The sentences that ask, and the words of the others before them."""
    texts = [span.of(question).strip() for span in sentences(question)]
    if len(texts) == 1:
        return texts, ""
    asked = [t for t in texts if t.endswith("?") or _CLAUSE.match(plain(t))]
    if not asked:
        return [question], ""
    story = " ".join(t for t in texts if t not in asked)
    return asked, story


def _clauses(sentence: str) -> list[str]:
    """The sentence cut where a clause with its own question word begins."""
    lower = plain(sentence)
    if not _ASKS.match(lower):
        return [sentence]
    pieces, begin = [], 0
    for joint in _JOINT.finditer(lower):
        before, after = lower[begin : joint.start()], lower[joint.end() :]
        if _BARE.fullmatch(before) or len(before.split()) < 3 or _SPEECH.search(before):
            continue
        if not _CLAUSE.match(after) or len(after.split()) < 2 or _RELATIVE.match(after):
            continue
        if not _CLAUSE.search(before):
            continue
        pieces.append(sentence[begin : joint.start()])
        begin = joint.end()
    pieces.append(sentence[begin:])
    return [piece for piece in pieces if piece.strip()]


def _aspects(part: str) -> list[str]:
    """One question for each aspect that is listed; none when nothing is."""
    match = _ASPECTS.search(plain(part))
    if match is None:
        return []
    begin, end = match.span("list")
    listed, at = [], begin
    for joint in _SINGLE.finditer(plain(part), begin, end):
        listed.append(part[at : joint.start()])
        at = joint.end()
    listed.append(part[at:end])
    if listed[:2] in (["signs", "symptoms"], ["Signs", "symptoms"]):
        listed[:2] = ["signs and symptoms"]
    if len(listed) < 2:
        return []
    head = part[:begin]
    return [_as_question(_agreeing(head, aspect) + aspect + part[end:]) for aspect in listed]


def _agreeing(head: str, aspect: str) -> str:
    """ "What are the" before a single thing is "What is the"."""
    single = not aspect.endswith("s") or aspect.endswith(("osis", "esis"))
    return re.sub(r"\bare(?=\sthe\s\Z)", "is", head) if single else head


def _sides(part: str) -> list[str]:
    """A question for each side of a comparison; none when it is not one of two plain sides."""
    lower = plain(part)
    for pattern in (_DIFFERENCE, _THAN, _OR, _VERSUS):
        match = pattern.match(lower) if pattern in (_THAN, _OR, _VERSUS) else pattern.search(lower)
        if match is None:
            continue
        one, other = (part[slice(*match.span(side))].strip() for side in ("one", "other"))
        if _UNFINISHED.search(one) and " " in other:
            one = f"{one} {other.split()[-1]}"
        rest = part[slice(*match.span("rest"))] if match["rest"] else ""
        if pattern is _OR and match["stem"]:
            rest = part[slice(*match.span("stem"))] + rest
        rest = rest.rstrip(" ?.")
        ask = "What is known of" if rest or pattern is not _DIFFERENCE else "What is"
        return [f"{ask} {_bare(side)}{rest}?" for side in (one, other)]
    return []


def _bare(side: str) -> str:
    return re.sub(r"\A(?:the|using|use of|taking)\s", "", side, flags=re.I)


def _subject(first: str, seeds: Sequence[Seed], question: str, story: str) -> str:
    """What the first part asks of: its first concept, else the words behind its "of" or verb."""
    at = question.find(first.strip()[:40])
    end = at + len(first) if at >= 0 else len(question)
    named = [s for s in seeds if at <= s.start < end] or [s for s in seeds if s.text in story]
    named = named or list(seeds)
    if named:
        return named[0].text
    lower = plain(first)
    match = re.search(r"\b(?:of|for|causes|cause)\s(?:the\s|an?\s)?(?P<what>[\w' -]{2,60})", lower)
    match = match or re.match(
        rf"\W*{_WH}\s{_AUX}\s(?:the\s|an?\s)?(?P<what>[\w' -]{{2,60}})", lower
    )
    if match is None:
        return ""
    what = first[slice(*match.span("what"))]
    verb = _VERB.search(plain(what))
    return (what[: verb.start()] if verb else what).strip()


def _kind(first: str) -> str:
    """What the first part asks for by name, which a later "it" means; "" for no such thing."""
    match = _ASKS_FOR.match(plain(first))
    return first[slice(*match.span("kind"))] if match else ""


def _carried(part: str, subject: str, noun: str, seeds: Sequence[Seed]) -> str:
    """The part with the subject in the place of its first pronoun, or in brackets behind it.

    ``noun`` is what the pronoun means instead, when the part before asked for something by name.
    """
    lower = plain(part)
    if not subject or subject.lower() in lower:
        return part
    meant = f"the {noun}" if noun else subject
    own, pronoun = _OWN.search(lower), _PRONOUN.search(lower)
    if own is not None:
        part = part[: own.start()] + f"{meant}'s " + part[own.end() :]
    elif pronoun is not None and not _EXPLETIVE.search(lower):
        part = part[: pronoun.start()] + meant + part[pronoun.end() :]
    if meant == subject and meant in part:
        return part
    if any(seed.text in part for seed in seeds):
        return part
    return f"{part.rstrip(' ?.')} ({subject})"


def _as_question(part: str) -> str:
    text = _LEADING.sub("", part.strip().rstrip("?.,; "))
    return f"{text[:1].upper()}{text[1:]}?" if text else part


def _with_story(part: str, story: str) -> str:
    """The part behind the sentences that tell of the patient, when they are short."""
    return f"{story} {part}" if story and len(story.split()) <= _STORY_WORDS else part
