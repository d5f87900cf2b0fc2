"""The package as installed: licences, extras that match the imports, a light ``import kgrag``."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# Which extras a folder's imports may come from; the longest prefix counts. What no line names
# belongs to the base.
FOLDERS = {
    "kgrag/encoding": {"models"},
    "kgrag/evaluation": {"eval"},
    "kgrag/generation": {"models"},
    "kgrag/generation/server_http.py": {"model-server"},
    "kgrag/linking/learn.py": {"graph"},
    "kgrag/linking/propose/embedding.py": {"models"},
    "kgrag/linking/propose/ngrams.py": {"graph"},
    "kgrag/models": {"models"},
    "kgrag/retrieval": {"index", "models"},
    "kgrag/stores/qdrant": {"index"},
    "kgrag/stores/graph.py": {"graph"},
    "kgrag/stores/rdf": {"rdf"},
    "kgrag/stores/sql": {"postgres"},
    "kgrag/testing": {"testing"},
    "kgrag/verification/entailment": {"models"},
    "kgrag/training": {"index", "models"},
    "kgrag/integrations/llama_index.py": {"llama-index"},
    "ingest/kgrag_ingest": {"ingest"},
    "ingest/kgrag_ingest/ontologies/loaders": {"ingest", "rdf"},
    "ingest/kgrag_ingest/ray_cluster.py": {"ray"},
    "ingest/kgrag_ingest/ray_pipeline.py": {"ray"},
    "ingest/kgrag_ingest/ray_worker.py": {"ray"},
    "services/kgrag_services": {"serve"},
}
COPYLEFT = re.compile(r"\b(A|L)?GPL|(affero|lesser|library)? ?general public", re.IGNORECASE)


def licence(name: str) -> str:
    """The licence that an installed distribution states: expression, classifiers, first line."""
    metadata = distribution(name).metadata
    stated = [metadata.get("License-Expression") or ""]
    stated += [c for c in metadata.get_all("Classifier") or [] if c.startswith("License")]
    stated += (metadata.get("License") or "").strip().splitlines()[:1]
    return " | ".join(filter(None, stated))


def run_time_requirements() -> set[str]:
    """Names of what ``kgrag[all]`` brings on this machine, through all levels."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [("kgrag", "all")]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            lines = distribution(name).requires or []
        except PackageNotFoundError:
            assert name != "kgrag", "kgrag is not installed"
            continue  # an extra of the package that this machine was not asked to install
        found.add(name)
        for requirement in map(Requirement, lines):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                needed = canonicalize_name(requirement.name)
                waiting += [(needed, e) for e in ("", *requirement.extras)]
    return found - {"kgrag"}


def allowed(path: Path) -> set[str]:
    """Names of the distributions that the file at ``path``, relative to the root, may import."""
    named = [f for f in FOLDERS if path.as_posix().startswith(f)]
    extras = FOLDERS[max(named, key=len)] if named else set()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def third_party(path: Path) -> set[str]:
    """Top names of all imports of a file that are neither Python's nor ours."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    tops = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    return tops - {"kgrag", "kgrag_ingest", "kgrag_services"}


def test_nothing_that_runs_is_under_a_copyleft_licence() -> None:
    needed = run_time_requirements()
    assert "sqlalchemy" in needed
    stated = {name: licence(name) for name in needed}
    assert not [name for name, text in stated.items() if not text]
    assert not {name: text for name, text in stated.items() if COPYLEFT.search(text)}


@pytest.mark.parametrize(
    "text",
    ["GPL-2.0-only", "LGPLv3+", "AGPL-3.0", "GNU General Public License v2 (GPLv2)"],
)
def test_copyleft_is_recognised(text: str) -> None:
    assert COPYLEFT.search(text)


def test_every_import_comes_with_the_extra_of_its_folder() -> None:
    carriers = packages_distributions()
    wrong = []
    files = [p for top in ("kgrag", "ingest", "services") for p in (ROOT / top).rglob("*.py")]
    assert len(files) > 100
    for file in files:
        path = file.relative_to(ROOT)
        for name in sorted(third_party(file)):
            carrying = {canonicalize_name(d) for d in carriers.get(name, ())}
            if not carrying & allowed(path):
                wrong.append(f"{path} imports {name} ({', '.join(carrying) or 'not installed'})")
    assert not wrong


def test_all_holds_every_extra_that_runs() -> None:
    (everything,) = map(Requirement, EXTRAS["all"])
    # llama.cpp compiles for minutes: who wants it says so.
    assert everything.extras == set(EXTRAS) - {"all", "dev", "testing", "llama-cpp"}


def test_every_extra_that_a_name_needs_exists() -> None:
    needs = re.compile(r'\("kgrag[\w.]*:\w+",\s*"([\w-]+)"\)')
    named = {e for file in (ROOT / "kgrag").rglob("*.py") for e in needs.findall(file.read_text())}
    assert {"models", "model-server"} <= named <= set(EXTRAS)


def test_importing_kgrag_is_light() -> None:
    code = (
        "import sys, time; began = time.process_time(); import kgrag;"
        "print(time.process_time() - began); print(*{m.partition('.')[0] for m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = done.stdout.splitlines()
    heavy = {
        *("torch", "transformers", "sentence_transformers", "qdrant_client", "qdrant_edge"),
        *("rdflib", "llama_index", "fastapi", "numpy", "scipy", "networkx", "lxml", "sqlalchemy"),
    }
    assert not heavy & set(modules.split())
    assert float(seconds) < 0.3  # of the processor, so that a busy machine does not count
