"""What CONTRIBUTING promises of every file: sizes, names, and nothing that must not be in a repository."""

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("layers", "functions", "local", "gpu", "bench")
NOT_OURS = {"__pycache__", "node_modules", "build"}
OURS_THOUGH_HIDDEN = {".ci", ".github"}

MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 50
MOST_BY_POSITION = 3
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

# Put together here, so that this file does not hold what it looks for.
FORBIDDEN = {
    "a package index": "index-" + "url|find-" + "links=|pypi[.]" + 'org|pythonhosted[.]|resolved": *"http',
    "unfinished work": r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b|NotImplemented" + "Error",
    "a test that does not run": r"pytest\.(mark\.)?(skip|xfail|importor" + "skip)",
    "an AWS key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "a private key": "-----BEGIN [A-Z ]*PRIVATE " + "KEY-----",
    "a provider's token": r"\b(sk-|gh[pousr]_|xox[abp]-|rpa_)[A-Za-z0-9_-]{20,}",
}


@cache
def our_files() -> list[Path]:
    """Every file a clean checkout would hold, found without git."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if is_ours(name)]
        found += [Path(folder, name) for name in files]
    return sorted(found)


def is_ours(folder: str) -> bool:
    return folder in OURS_THOUGH_HIDDEN or not (folder.startswith(".") or folder in NOT_OURS)


def python_files(*rooms: str) -> Iterator[Path]:
    for path in our_files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms:
            yield path


def functions_in(source: str) -> Iterator[tuple[str, int]]:
    """Each function's name and its lines, decorators not counted."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def size_faults(name: str, source: str) -> list[str]:
    sizes = {f"{name}: {title}": lines for title, lines in functions_in(source)}
    faults = [
        f"{what} has {lines} lines" for what, lines in sizes.items() if lines > MOST_LINES_OF_A_FUNCTION
    ]
    if (lines := len(source.splitlines())) > MOST_LINES_OF_A_FILE:
        faults.append(f"{name} has {lines} lines")
    return faults


def position_faults(name: str, source: str) -> list[str]:
    """Functions whose call nobody can read: what they act on comes first, the rest is named."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    takers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    return [
        f"{name}: {taker.name} takes {count} arguments by position"
        for taker in takers
        if (count := count_positional(taker.args)) > MOST_BY_POSITION
    ]


def count_positional(arguments: ast.arguments) -> int:
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def name_faults(name: str, source: str) -> list[str]:
    """Names that say nothing, in paths and in what a module defines."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    defined = [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, kinds)]
    words = [*Path(name).with_suffix("").parts, *defined]
    return [f"{name}: {word}" for word in words if VAGUE & set(split_words(word))]


def split_words(name: str) -> list[str]:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")


def text_faults(name: str, text: str) -> list[str]:
    return [
        f"{name}:{number} holds {what}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if re.search(pattern, line)
    ]


def opening_faults(name: str, source: str) -> list[str]:
    """A module opens with one sentence on what is in it; an empty one needs none."""
    said = ast.get_docstring(ast.parse(source))
    return [] if said or not source.strip() else [f"{name} does not say what is in it"]


def all_faults(check, paths):
    return [fault for path in paths for fault in check(str(path.relative_to(ROOT)), path.read_text())]


def test_no_function_and_no_file_is_too_long():
    assert all_faults(size_faults, python_files(*PRODUCT, "tests")) == []


def test_functions_are_small_as_a_rule():
    lines = [size for path in python_files(*PRODUCT) for _, size in functions_in(path.read_text())]

    assert median(lines) <= 8
    assert quantiles(lines, n=10)[8] <= 25


def test_arguments_are_passed_by_name():
    # A route's function is called by the router, which hands it the path's values.
    assert all_faults(position_faults, python_files("layers", "local", "gpu", "bench")) == []


def test_names_say_what_is_meant():
    assert all_faults(name_faults, python_files(*PRODUCT)) == []


def test_every_module_says_what_is_in_it():
    assert all_faults(opening_faults, python_files(*PRODUCT)) == []


def test_no_file_holds_what_must_not_be_in_a_repository():
    texts = (path for path in our_files() if b"\x00" not in path.read_bytes()[:8192])

    assert all_faults(text_faults, texts) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("def long():\n" + "    x = 1\n" * 50, "a.py: long has 51 lines"),
        ("class A:\n  async def long(self):\n" + "    x = 1\n" * 50, "a.py: long has 51 lines"),
        ("x = 1\n" * 301, "a.py has 301 lines"),
    ],
)
def test_a_planted_excess_is_named(source, fault):
    assert size_faults("a.py", source) == [fault]


def test_what_just_fits_is_no_fault():
    assert size_faults("a.py", "def fits():\n" + "    x = 1\n" * 49 + "x = 1\n" * 250) == []


def test_planted_arguments_by_position_are_named():
    assert position_faults("a.py", "class A:\n  def fine(self, a, b, c, *, d): ...") == []
    assert position_faults("a.py", "def f(a, b, c, d): ...") == ["a.py: f takes 4 arguments by position"]


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("layers/utils.py", "", "layers/utils.py: utils"),
        ("local/common/a.py", "", "local/common/a.py: common"),
        ("a.py", "class JobManager: ...", "a.py: JobManager"),
        ("a.py", "def helper_for_jobs(): ...", "a.py: helper_for_jobs"),
    ],
)
def test_a_planted_vague_name_is_named(path, source, fault):
    assert name_faults(path, source) == [fault]


def test_a_longer_word_that_holds_a_vague_one_is_no_fault():
    assert name_faults("database.py", "class Database: ...") == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("--index-" + "url https://example.com", "a package index"),
        ("# TO" + "DO: later", "unfinished work"),
        ("@pytest.mark.sk" + "ip", "a test that does not run"),
        ("key = AKIA" + "A" * 16, "an AWS key"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "a private key"),
        ("sk-" + "a" * 24, "a provider's token"),
    ],
)
def test_a_planted_text_is_named(text, what):
    assert text_faults("a.md", f"first\n{text}") == [f"a.md:2 holds {what}"]


def test_a_module_that_does_not_say_what_is_in_it_is_named():
    assert opening_faults("a.py", "x = 1") == ["a.py does not say what is in it"]
