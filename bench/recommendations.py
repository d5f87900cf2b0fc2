"""Recommendations: the graded ones of USPSTF topics, and lines of other corpora read by people.

    KGRAG_DATA=... python bench/recommendations.py [uspstf] [lines] [--json] [--misses]
    python bench/recommendations.py --second LABELS.tsv

uspstf: the topics as HTML against the 73 records of the same issuer: grade, direction, sex, ages.
The rules were made on the half whose file names have an odd SHA-256; the halves are told apart.
lines: `labels/recommendations`, drawn and labelled before there was an extractor; the rules were
made on other files. The baseline beside both is a search for words.
--second takes in what a second reader wrote: a row a line, in order: number, yes or no, direction.
Where both readers agree, that is the label; the others are printed, to be decided by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from statistics_of import wilson

from kgrag.ids import sha256
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Source
from kgrag.sentences import sentences
from kgrag_ingest.prepare import with_defaults
from kgrag_ingest.readers import select
from kgrag_ingest.recipes import load
from kgrag_ingest.recommend import recommend

LABELS = Path(__file__).parent / "labels" / "recommendations" / "lines.jsonl"
CORPORA = {
    "cdc": ("cdc_opioid_cds", "cdc-opioid"),
    "nigeria": ("nigeria_stg2022/conditions", "nigeria"),
    "who": ("who_smart_guidelines", "who-smart"),
    "openstax": ("openstax_nursing/modules", "openstax-nursing"),
    "jats": ("jats", "jats"),
}
DIRECTION = {"A": "for", "B": "for", "C": "for", "D": "against", "I": "neither"}
WORDS = re.compile(r"\w+")
# The baseline: "a line with recommend or should, or a grade".
KEYWORD = re.compile(r"(?i)recommend|should")
GRADED = re.compile(r"\b(?:Grade|grade):? ?([ABCDI])\b|\b([ABCDI]) (?:recommendation|statement)\b")


@dataclass(frozen=True)
class Said:
    """A recommendation as far as it is compared."""

    text: str
    grade: str | None
    direction: str
    sex: str | None
    ages: tuple[float | None, float | None]


def corpora() -> Path:
    return Path(os.environ["KGRAG_DATA"]) / "corpora"


def documents(path: Path, recipe_name: str) -> Iterator[Document]:
    """The file's documents as an ingest with the recipe reads them."""
    recipe = load(recipe_name)
    data = path.read_bytes()
    reader = select(data, str(path), reader=recipe.reader)
    for reading in reader.read(data, uri=str(path)):
        if isinstance(reading, Exception):
            continue
        yield Document(
            id=f"doc_{path.name}_{reading.record}",
            source=Source("bench", path.name),
            uri=str(path),
            media_type=reader.media_types[0],
            original_sha256=sha256(data),
            reader=f"{reader.name}/{reader.version}",
            text=reading.text,
            metadata=with_defaults(reading.metadata, recipe),
            blocks=reading.blocks,
            sections=reading.sections,
            pages=reading.pages,
            tables=reading.tables,
            doubts=reading.doubts,
        )


def half(name: str) -> str:
    """``test`` for names with an even SHA-256, else ``dev``."""
    return "test" if int(sha256(name.encode()), 16) % 2 == 0 else "dev"


def share(right: int, of: int) -> str:
    low, high = wilson(right, of)
    return f"{right / of if of else 0:.3f} [{low:.2f}, {high:.2f}] ({right}/{of})"


# --- USPSTF --------------------------------------------------------------------------------------


def ours(document: Document) -> list[Said]:
    return [_said(r) for r in recommend(document, ()) if r.strength is not None]


def _said(record: Recommendation) -> Said:
    grade = re.search(r"[ABCDI]\b", record.strength.raw) if record.strength else None
    return Said(
        record.quote,
        grade.group() if grade else None,
        record.direction,
        record.sex,
        (record.min_age, record.max_age),
    )


def baseline(document: Document) -> list[Said]:
    """Every line with a grade and, where there is none, nothing: read by a few expressions."""
    found = []
    for block in document.blocks:
        line = document.text[block.start : block.end]
        grade = GRADED.search(line)
        if grade is None or block.kind == "heading":
            continue
        low = line.lower()
        direction = "against" if "against" in low else "for"
        direction = "neither" if "insufficient" in low else direction
        women, men = "women" in low or "pregnan" in low, re.search(r"\bmen\b", low)
        between = re.search(r"(\d+) to (\d+) years", low)
        older = re.search(r"(\d+) years (?:or|and) older", low)
        ages: tuple[float | None, float | None] = (None, None)
        if between:
            ages = (float(between[1]), float(between[2]))
        elif older:
            ages = (float(older[1]), None)
        elif "adult" in low:
            ages = (18.0, None)
        sex = "female" if women and not men else "male" if men and not women else None
        found.append(Said(line, grade[1] or grade[2], direction, sex, ages))
    return found


def same_ages(gold: dict[str, Any], said: Said, *, strict: bool) -> bool:
    """The record's age range is ours; 99 and 100 mean no limit.

    Not strict: a bound of the record whose number stands neither in its title nor its text is a
    convention of that database ("adolescents" from 11 or 12, pregnant women 11 to 49), and a
    text that says no number has none, or one within a year of it, or no bound at all.
    """
    words = f"{gold['title']} {gold['text']}"
    for bound, mine in zip(gold["ageRange"], said.ages, strict=True):
        limit = None if bound >= 99 else float(bound)
        if limit == mine:
            continue
        stated = re.search(rf"\b{bound}\b", words) is not None
        near = mine is None or (limit is not None and abs(limit - mine) <= 1)
        if strict or stated or not near:
            return False
    return True


def overlap(one: str, other: str) -> float:
    """Of the words of ``one``, the share that stands in ``other``."""
    left = Counter(WORDS.findall(one.lower()))
    shared = left & Counter(WORDS.findall(other.lower()))
    return sum(shared.values()) / max(1, sum(left.values()))


def uspstf(find: Callable[[Document], list[Said]], *, misses: bool = False) -> dict[str, Any]:
    """Counts by half: gold, found, and of those found how many are right in what."""
    folder = corpora() / "uspstf"
    general = _jsonl(folder / "general_recommendations.jsonl")
    records = _jsonl(folder / "specific_recommendations.jsonl")
    topics = sorted(folder.joinpath("topics").glob("*.html"))
    alias = {g["id"]: g["uspstfAlias"] for g in general}
    counts: dict[str, Counter[str]] = {"dev": Counter(), "test": Counter()}
    for path in topics:
        side = half(path.name)
        gold = [r for r in records if _is_of(alias[r["general"]], path.stem)]
        said = [s for document in documents(path, "uspstf") for s in find(document)]
        counts[side].update(topics=1, gold=len(gold), said=len(said))
        free = list(said)
        for record in gold:
            text = re.sub(r"<[^>]+>", " ", record["text"])
            ranked = sorted(
                free,
                key=lambda s: (s.grade == record["grade"], overlap(text, s.text)),
                reverse=True,
            )
            near = [s for s in ranked if overlap(text, s.text) >= 0.6]
            if not near:
                counts[side]["missed"] += 1
                continue
            best = max(near, key=lambda s: (_right(record, s), overlap(text, s.text)))
            free.remove(best)
            marks = _marks(record, best)
            counts[side].update(k for k, good in marks.items() if good)
            if misses and not marks["right"] and side == "dev":
                print("dev miss", path.stem, record["ageRange"], record["sex"], best, "\n")
        if misses and side == "dev":
            for extra in free:
                print("dev extra", path.stem, extra, "\n")
    return {side: dict(c) for side, c in counts.items()}


def _right(record: dict[str, Any], said: Said) -> int:
    return sum(_marks(record, said).values())


def _marks(record: dict[str, Any], said: Said) -> dict[str, bool]:
    sex = None if record["sex"] == "men and women" else record["sex"]
    marks = {
        "grade": said.grade == record["grade"],
        "direction": said.direction == DIRECTION[record["grade"]],
        "sex": said.sex == sex,
        "ages": same_ages(record, said, strict=False),
        "ages_strict": same_ages(record, said, strict=True),
    }
    marks["right"] = all(marks[k] for k in ("grade", "direction", "sex", "ages"))
    marks["right_strict"] = marks["right"] and marks["ages_strict"]
    return marks


def _is_of(alias: str, stem: str) -> bool:
    """File names are cut off; the alias is whole."""
    return alias == stem or (len(stem) >= 60 and alias.startswith(stem))


def _jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


# --- lines ---------------------------------------------------------------------------------------


def keyword(line: str) -> str:
    """The baseline's label of a line."""
    if not (KEYWORD.search(line) or GRADED.search(line)):
        return "none"
    return "against" if re.search(r"(?i)\bnot\b|avoid|against", line) else "for"


def lines(*, misses: bool = False) -> dict[str, Any]:
    """Labels of both readers, ours and the baseline's, of every line; and what was lost."""
    rows = [json.loads(line) for line in LABELS.read_text().splitlines()]
    cache: dict[Path, list[tuple[Document, tuple[Recommendation, ...]]]] = {}
    out = []
    for row in rows:
        folder, recipe = CORPORA[row["corpus"]]
        path = corpora() / folder / row["file"]
        if path not in cache:
            cache[path] = [(d, recommend(d, ())) for d in documents(path, recipe)]
        place = _place(row, cache[path])
        if place is None:
            continue
        document, found, start, end = place
        here = [r for r in found if r.action[0] < end and start < r.action[1]]
        first = min(here, key=lambda r: r.action) if here else None
        line = document.text[start:end]
        label = row["label"] or row["reader1"]
        ours_label = first.direction if first else "none"
        out.append(
            row | {"gold": label, "ours": ours_label, "baseline": keyword(line), "text": line}
        )
        if misses and label != ours_label:
            print(f"{row['corpus']} gold {label} ours {ours_label}: {line[:300]}\n")
    return {"rows": out, "lost": len(rows) - len(out)}


def _place(
    row: dict[str, Any], read: Sequence[tuple[Document, tuple[Recommendation, ...]]]
) -> tuple[Document, tuple[Recommendation, ...], int, int] | None:
    """The line at its offsets, or where the reader has it now, by its hash."""
    length = row["end"] - row["start"]
    for document, found in read:
        starts = {row["start"], *(b.start for b in document.blocks)}
        starts |= {s.start for s in sentences(document.text)}
        for start in sorted(starts):
            line = document.text[start : start + length]
            if len(line) == length and sha256(line.encode()) == row["line_sha256"]:
                return document, found, start, start + length
    return None


def take_second(path: Path) -> None:
    """The second reader's labels stand beside the first's; agreed ones become the label."""
    rows = [json.loads(line) for line in LABELS.read_text().splitlines()]
    for line in path.read_text().splitlines():
        number, advises, direction, *_ = line.split("\t")
        row = rows[int(number)]
        row["reader2"] = direction if advises == "yes" else "none"
        row["label"] = row["reader1"] if row["reader1"] == row["reader2"] else None
        if row["label"] is None:
            print(number, row["corpus"], row["file"], row["reader1"], row["reader2"])
    LABELS.write_text("".join(json.dumps(row) + "\n" for row in rows))


def kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's kappa of two readers."""
    agree = sum(a == b for a, b in pairs) / len(pairs)
    left, right = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    chance = sum(left[k] * right[k] for k in left) / len(pairs) ** 2
    return (agree - chance) / (1 - chance)


def scores(rows: Sequence[dict[str, Any]], who: str) -> tuple[str, str, str]:
    """Precision, recall and the share of right directions among what was rightly found."""
    said = [r for r in rows if r[who] != "none"]
    gold = [r for r in rows if r["gold"] != "none"]
    both = [r for r in said if r["gold"] != "none"]
    same = sum(r[who] == r["gold"] for r in both)
    return share(len(both), len(said)), share(len(both), len(gold)), share(same, len(both))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", default=["uspstf", "lines"])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--misses", action="store_true", help="print them (of uspstf: dev only)")
    parser.add_argument("--second", type=Path)
    arguments = parser.parse_args()
    if arguments.second:
        take_second(arguments.second)
        return
    if "uspstf" in arguments.parts:
        for name, find in (("ours", ours), ("baseline", baseline)):
            counts = uspstf(find, misses=arguments.misses and name == "ours")
            if arguments.json:
                print(json.dumps({name: counts}))
                continue
            for side, c in counts.items():
                right, strict = c.get("right", 0), c.get("right_strict", 0)
                print(f"{name:9} {side:5} topics {c['topics']} precision {share(right, c['said'])}")
                print(
                    f"{'':22} recall {share(right, c['gold'])}, strict {share(strict, c['gold'])}"
                )
                print(f"{'':22} {dict(sorted(c.items()))}")
    if "lines" in arguments.parts:
        result = lines(misses=arguments.misses)
        rows = result["rows"]
        pairs = [(r["reader1"], r["reader2"]) for r in rows if r["reader2"]]
        binary = [(a != "none", b != "none") for a, b in pairs]
        print(f"lines {len(rows)}, lost {result['lost']}, read twice {len(pairs)}")
        if pairs:
            flat = [(str(a), str(b)) for a, b in binary]
            print(f"kappa advises {kappa(flat):.2f}, with direction {kappa(pairs):.2f}")
        groups: dict[str, list[dict[str, Any]]] = {"all": rows}
        for key in ("stratum", "corpus"):
            for row in rows:
                groups.setdefault(row[key], []).append(row)
        for group, members in groups.items():
            for who in ("ours", "baseline"):
                precision, recall, direction = scores(members, who)
                print(f"{group:9} {who:9} P {precision}  R {recall}  direction {direction}")


if __name__ == "__main__":
    main()
