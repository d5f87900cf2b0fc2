"""The questions of ``bench/labels/guide_questions.jsonl`` as ``kgrag eval --questions`` takes them.

    python bench/guide_questions.py --kb DIR > guide.jsonl
    kgrag eval --questions guide.jsonl --kb DIR

The kb must hold the corpora that the labels are of, in collections of the same names. Right is the
passage that the labelled sentence stands in. These questions are for developing: report no other.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from kgrag import Engine
from kgrag.ids import sha256
from kgrag.records.text import Source

LABELS = Path(__file__).parent / "labels" / "guide_questions.jsonl"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    kb = parser.parse_args().kb
    left = 0
    with Engine.open(kb) as engine:
        for number, line in enumerate(LABELS.read_text(encoding="utf-8").splitlines()):
            label = json.loads(line)
            info = engine.truth.current(Source(label["collection"], label["identifier"]))
            text = engine.truth.document(info.id).text if info else ""
            start, end = label["start"], label["end"]
            if info is None or sha256(text[start:end].encode()) != label["sha256"]:
                left += 1
                continue
            right = [
                p.id for p in engine.truth.passages(info.id) if p.start < end and start < p.end
            ]
            row = {"id": f"guide-{number}", "question": label["question"], "relevant": right}
            print(json.dumps(row, ensure_ascii=False))
    print(f"{left} labels are of another text than the kb has", file=sys.stderr)


if __name__ == "__main__":
    main()
