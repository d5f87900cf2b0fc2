"""What ``make demo`` runs: ingest the demonstration guidelines, ask four questions, show all.

The guidelines are made up for this purpose and are no clinical advice.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from kgrag import Engine

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    kb: Path = parser.parse_args().kb
    began = time.perf_counter()
    print("Demonstration documents, not clinical advice.\n", flush=True)
    command = [Path(sys.executable).with_name("kgrag"), "ingest", HERE / "guidelines", "--kb", kb]
    command += ["--recipe", "examples"]  # says who publishes them, where a format cannot
    # One of the documents is broken on purpose; a refusal (exit code 1) stops nothing.
    if subprocess.run(command).returncode not in (0, 1):
        sys.exit("the demonstration guidelines could not be ingested")
    lines = (HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    with Engine.open(kb) as engine:
        for line in lines:
            question = json.loads(line)
            print()
            engine.ask(question["question"], id=question["id"]).show()
    print(f"\nDone in {time.perf_counter() - began:.0f} s. Ask your own:")
    print(f'  {command[0]} ask "your question" --kb {kb}')


if __name__ == "__main__":
    main()
