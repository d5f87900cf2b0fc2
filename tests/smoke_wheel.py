"""Installs the built wheel into an empty environment and tries it away from the source tree.

Usage: ``python tests/smoke_wheel.py dist``. Ends with 0 when all holds.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

_LIGHT = """
import sys, time
began = time.perf_counter()
import kgrag
seconds = time.perf_counter() - began
heavy = {"torch", "transformers", "sentence_transformers", "qdrant_client", "qdrant_edge",
         "rdflib", "llama_index", "fastapi", "numpy"} & set(sys.modules)
assert not heavy, f"import kgrag loads {sorted(heavy)}"
assert seconds < 0.3, f"import kgrag takes {seconds:.2f} s"
from kgrag.paths import resource
assert resource("ontologies", "relations.toml").is_file()
assert any(resource("recipes").glob("*.toml"))
from kgrag.vocabulary.relations import relations
assert relations()
import kgrag_ingest, kgrag_services
for name in ("ingest", "services", "ontologies"):
    try:
        __import__(name)
    except ModuleNotFoundError:
        continue
    raise AssertionError(f"the wheel installs a package called {name}")
"""


def main(folder: str) -> None:
    (wheel,) = Path(folder).resolve().glob("kgrag-*.whl")
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        venv.create(home / "venv", with_pip=True)
        python = home / "venv" / "bin" / "python"
        constraints = Path(__file__).resolve().parent.parent / "constraints.txt"
        install = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel]
        subprocess.run(install, check=True, cwd=home)
        subprocess.run([python, "-c", _LIGHT], check=True, cwd=home)
        kgrag = home / "venv" / "bin" / "kgrag"
        subprocess.run([kgrag, "--version"], check=True, cwd=home)
        shown = subprocess.run([kgrag, "--help"], check=True, cwd=home, capture_output=True)
        for command in (b"ingest", b"ask", b"search", b"serve", b"doctor"):
            assert command in shown.stdout, command
        # A light install says what is missing and how to mend it, and does so with an error code.
        doctor = subprocess.run([kgrag, "doctor"], cwd=home, capture_output=True)
        assert doctor.returncode == 3, doctor
        assert b"pip install" in doctor.stdout, doctor
    print(f"{wheel.name}: installed and tried in an environment of its own")


if __name__ == "__main__":
    main(sys.argv[1])
