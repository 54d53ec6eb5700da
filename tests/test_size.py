"""The library stays small and untangled: tokens and branches by room, as numbers that may only fall.

Tokens are Python's own without comments, docstrings and layout, so that packing lines changes nothing. Branches: 1 and
one for each if, for, while, except, assert, conditional expression, boolean operator, comprehension with its
conditions and match case.
"""

import ast
import io
import subprocess
import sys
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST = 181_060  # tokens of the library
ROOMS = {
    "reports": 42_280,
    "findings": 23_500,
    "figures": 13_380,
    "projection": 22_010,
    "briefing": 11_990,
    "indicators": 9_720,
    "ranking": 7_960,
    "analysis": 2_370,
    "tables": 1_590,
    "catalog": 3_870,
    "quantity": 2_760,
}
TANGLED = 0.124  # share of functions with more than ten branches
LIMIT = 25  # branches of one function; rooms that are still over it, by how many functions
OVER: dict[str, int] = {}
LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.ENCODING,
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ONE = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.Assert)


def docstring_lines(tree: ast.AST) -> set[int]:
    homes = (n for n in ast.walk(tree) if isinstance(n, (ast.Module, ast.ClassDef, *FUNCTIONS)))
    firsts = [n.body[0] for n in homes if n.body and ast.get_docstring(n, clean=False) is not None]
    return {first.lineno for first in firsts}


def tokens(text: str) -> int:
    skip, count, depth = docstring_lines(ast.parse(text)), 0, 0
    begin, end = getattr(tokenize, "FSTRING_START", -1), getattr(tokenize, "FSTRING_END", -1)
    for t in tokenize.generate_tokens(io.StringIO(text).readline):
        if t.type == begin:  # from Python 3.12 on a formatted string is several tokens: one here
            count, depth = count + (depth == 0), depth + 1
        elif t.type == end:
            depth -= 1
        elif not depth and t.type not in LAYOUT:
            count += not (t.type == tokenize.STRING and t.start[0] in skip)
    return count


def branches(function: ast.AST) -> int:
    count = 1
    for node in ast.walk(function):
        count += isinstance(node, (*ONE, ast.match_case))
        if isinstance(node, ast.BoolOp):
            count += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            count += 1 + len(node.ifs)
    return count


@cache
def measured() -> tuple[Counter, list[tuple[int, str, str]]]:
    """Tokens by room; branches, room and name of every function."""
    rooms, functions = Counter(), []
    for path in sorted((ROOT / "zcqlib").rglob("*.py")):
        text = path.read_text("utf-8")
        room = path.relative_to(ROOT / "zcqlib").parts[0].removesuffix(".py")
        rooms[room] += tokens(text)
        found = (n for n in ast.walk(ast.parse(text)) if isinstance(n, FUNCTIONS))
        functions += [(branches(f), room, f"{path.name}:{f.name}") for f in found]
    return rooms, functions


def test_tokens_and_branches_are_counted_as_they_are_meant():
    text = '"""Doc."""\n# why\nx = [a for a in b if a and c]  # two\n\n\ndef f():\n    "doc"\n    return 1\n'
    assert tokens(text) == 13 + 7
    assert branches(ast.parse(text)) == 1 + 2 + 1
    packed = "x = 1\ny = f'{x}'\n"
    assert tokens(packed) == tokens("x = 1;y = f'{x}'\n") - 1 == 6


def test_the_library_and_its_rooms_are_no_larger_than_they_may_be():
    rooms, _ = measured()
    assert sum(rooms.values()) <= MOST
    assert {r: rooms[r] for r, most in ROOMS.items() if rooms[r] > most} == {}


def test_functions_have_few_branches():
    _, functions = measured()
    assert sum(n > 10 for n, *_ in functions) / len(functions) <= TANGLED
    over = Counter(room for n, room, _ in functions if n > LIMIT)
    assert {r: n for r, n in over.items() if n > OVER.get(r, 0)} == {}, sorted(functions)[-40:]


def test_everything_is_laid_out_by_one_formatter_and_lints_clean():
    for job in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *job, "--no-cache", "."],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-500:]
