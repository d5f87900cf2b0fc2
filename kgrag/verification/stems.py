"""One form of a word: one spelling, no inflection, and the longer stem without its derivation."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SPELLING: Final = (
    ("aemi", "emi"), ("haem", "hem"), ("oedem", "edem"), ("oea", "ea"), ("oesoph", "esoph"),
    ("oestr", "estr"), ("paed", "ped"), ("anaes", "anes"), ("foet", "fet"), ("faec", "fec"),
    ("gynaec", "gynec"), ("caes", "ces"), ("coeli", "celi"), ("leukaem", "leukem"),
    ("leuco", "leuko"), ("ischaem", "ischem"), ("caec", "cec"), ("naev", "nev"), ("sulph", "sulf"),
    ("tumour", "tumor"), ("colour", "color"), ("behaviour", "behavior"), ("labour", "labor"),
    ("favour", "favor"), ("odour", "odor"), ("humour", "humor"), ("vapour", "vapor"),
    ("neighbour", "neighbor"), ("flavour", "flavor"), ("vigour", "vigor"), ("rigour", "rigor"),
    ("harbour", "harbor"), ("rumour", "rumor"), ("honour", "honor"), ("centre", "center"),
    ("litre", "liter"), ("metre", "meter"), ("fibre", "fiber"), ("titre", "titer"),
    ("calibre", "caliber"), ("theatre", "theater"), ("programme", "program"),
    ("isation", "ization"),
    ("ising", "izing"), ("ised", "ized"), ("ise", "ize"), ("yse", "yze"), ("ysing", "yzing"),
    ("logue", "log"), ("defence", "defense"), ("licence", "license"), ("practise", "practice"),
    ("judgement", "judgment"), ("ageing", "aging"), ("grey", "gray"), ("mould", "mold"),
    ("artefact", "artifact"), ("manoeuvr", "maneuver"), ("sceptic", "skeptic"),
    ("aluminium", "aluminum"), ("orthopaed", "orthoped"), ("encyclopaed", "encycloped"),
    ("dyspnoe", "dyspne"), ("apnoe", "apne"), ("pnoe", "pne"), ("aetio", "etio"), ("oeco", "eco"),
    ("whilst", "while"), ("amongst", "among"), ("cheque", "check"), ("plough", "plow"),
    ("foet", "fet"), ("homoeo", "homeo"), ("amoeb", "ameb"), ("moeb", "meb"), ("aesth", "esth"),
    ("paraes", "pares"), ("taen", "ten"), ("laevo", "levo"), ("chaem", "chem"),
    ("hydrocoel", "hydrocel"),
    ("diarrhoe", "diarrhe"), ("rrhoe", "rrhe"), ("fulfil", "fulfill"), ("enrol", "enroll"),
    ("learnt", "learned"), ("spelt", "spelled"), ("burnt", "burned"), ("towards", "toward"),
)  # fmt: skip
_IRREGULAR: Final = dict(
    pair.split(":")
    for pair in """
    given:give gave:give taken:take took:take shown:show found:find led:lead rose:rise risen:rise
    fell:fall fallen:fall began:begin begun:begin became:become made:make men:man women:woman
    children:child feet:foot teeth:tooth mice:mouse bled:bleed kept:keep lost:lose known:know
    knew:know seen:see saw:see grown:grow grew:grow chosen:choose chose:choose got:get gotten:get
    sought:seek taught:teach bought:buy brought:bring came:come went:go gone:go goes:go going:go
    done:do did:do
    has:have had:have was:be were:be is:be are:be been:be am:be being:be died:die dying:die dies:die
    lying:lie worse:worse diagnoses:diagnosis crises:crisis metastases:metastasis bacteria:bacterium
    viruses:virus ate:eat eaten:eat drank:drink drunk:drink slept:sleep felt:feel fed:feed
    held:hold told:tell said:say meant:mean left:left lives:life wives:wife leaves:leaf
    halves:half people:people testes:testis vertebrae:vertebra data:data spoken:speak spoke:speak
    broken:break broke:break driven:drive written:write wrote:write worn:wear stuck:stick
    withdrawn:withdraw withdrew:withdraw withheld:withhold undergone:undergo underwent:undergo
    arose:arise arisen:arise used:use using:use uses:use during:during aids:aids this:this
    does:do tries:try swollen:swollen forbidden:forbid bitten:bite hidden:hide paid:pay
    analyses:analysis bases:basis hypotheses:hypothesis species:species series:series
    kidneys:kidney ovaries:ovary arteries:artery cavities:cavity nothing:nothing something:something
    anything:anything everything:everything evening:evening morning:morning need:need needs:need
    bring:bring king:king sing:sing thing:thing string:string spring:spring breed:breed
    """.split()
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """One spelling and no inflection: plural, -ed, -ing and -ly removed, and a last e."""
    if word in _IRREGULAR:
        return _IRREGULAR[word].removesuffix("e") if len(word) > 3 else _IRREGULAR[word]
    found = word
    for british, american in _SPELLING:
        if british in found:
            found = found.replace(british, american)
    found = re.sub(r"(?<=[aeiou])ll(?=(?:ed|ing|er|ers|ation)$)", "l", found)
    if len(found) <= 3:
        return found
    for ending, keep, put in _ENDINGS:
        if found.endswith(ending) and len(found) - len(ending) >= keep:
            found = found[: len(found) - len(ending)] + put
            break
    if len(found) > 3 and found[-1] == found[-2] and found[-1] in "bdgmnprt":
        found = found[:-1]
    return found[:-1] if len(found) > 3 and found[-1] == "e" else found


_ENDINGS: Final = (
    ("sses", 2, "ss"), ("ies", 3, "y"), ("ied", 2, "y"), ("ches", 3, "ch"), ("shes", 3, "sh"),
    ("xes", 2, "x"), ("zzes", 2, "z"), ("ously", 3, "ous"), ("ally", 3, "al"), ("ably", 3, "abl"),
    ("ibly", 3, "ibl"), ("ily", 3, "y"), ("ingly", 3, ""), ("edly", 3, ""), ("eed", 2, "eed"),
    ("ings", 3, ""), ("ing", 3, ""), ("ed", 3, ""), ("ly", 3, ""), ("ss", 1, "ss"), ("us", 2, "us"),
    ("is", 2, "is"), ("s", 3, ""),
)  # fmt: skip
# Endings that make another part of speech of the same word; never one that turns its meaning.
_DERIVED: Final = (
    "ically", "iveness", "ization", "ational", "ability", "ibility", "ation", "ative", "atory",
    "ition", "ement", "ance", "ence", "anc", "enc", "ancy",
    "ency", "ment", "ness", "ion", "ian",
    "ial", "ible", "able", "abl", "ibl", "ical", "ious", "ity", "ive", "iv", "ous",
    "ant", "ent", "ary",
    "ory", "tic", "al", "ic", "is", "um", "ia", "iz", "at", "or", "er", "ar", "y", "a", "e", "i",
    "ist", "ism",
)  # fmt: skip
_NEVER_DERIVED: Final = frozenset(
    "several sever general generic generat university universal important import patient patienc"
    " animal capital community communication experiment experienc organism organic minor major"
    " inferior superior anterior posterior interior exterior placebo ration ratio potent potential"
    " hospital hospic internal internist externa vaccin vaccinia protein protean".split()
)


def keys_of(stemmed: str, word: str) -> set[str]:
    """The keys of a word by itself: its number, or its stem and the stems that it is made from."""
    if word[0].isdecimal():
        return {f"#{float(word.replace(',', '')):g}"} if word.count(".") < 2 else {word}
    found = {stemmed}
    if "-" in word:  # COVID-19: the name without its number is not the name
        return {word}
    if len(stemmed) >= 5 and stemmed not in _NEVER_DERIVED:
        found.add("~" + stemmed)
        for ending in _DERIVED:
            rest = stemmed.removesuffix(ending)
            if rest != stemmed and len(rest) >= 5:
                found.add("~" + rest)
        if stemmed.endswith("otic"):
            found.add("~" + stemmed[:-3] + "s")
    elif len(stemmed) == 4:
        found.add("~" + stemmed)
    return found
