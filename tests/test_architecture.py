"""Who may know whom: stages meet in tables only, and the library stays small."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "zcqlib"
STAGES = {
    "reports",
    "indicators",
    "analysis",
    "projection",
    "ranking",
    "figures",
    "briefing",
    "published",
    "plan_check",
}
SHARED = {"tables", "catalog"}
MAY = {stage: SHARED for stage in STAGES} | {
    "pool": set(),
    "projection": SHARED | {"pool"},
    "tables": set(),
    "reference": {"tables"},
    "catalog": {"tables", "reference"},
    "quantity": SHARED | {"reference"},
    "attached": set(),
    "workspace": {"tables", "reference", "attached"},
    "html_edition": {"tables", "workspace"},
    "ledger_reader": SHARED,
    "briefing": SHARED | {"ledger_reader", "quantity", "findings"},
    "findings": SHARED | {"quantity", "analysis", "projection", "ranking"},
    "figures": SHARED | {"quantity", "attached"},
    "reports": SHARED | {"ledger_reader"},
}


def imports(path: Path) -> set[str]:
    """First-level modules of zcqlib that a file imports, itself left out."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] == "zcqlib"
        ):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("zcqlib.")}
    return found - {path.relative_to(LIBRARY).parts[0].removesuffix(".py")}


def files_of(module: str) -> list[Path]:
    one = LIBRARY / f"{module}.py"
    return [one] if one.exists() else list((LIBRARY / module).rglob("*.py"))


@pytest.mark.parametrize("module", sorted(MAY))
def test_a_module_imports_only_what_the_design_allows(module):
    files = files_of(module)
    assert files, f"{module} is gone: take it out of this test"
    wrong = {f.name: imports(f) - MAY[module] for f in files}
    assert {name: extra for name, extra in wrong.items() if extra} == {}


def test_no_module_reaches_itself_through_others():
    rooms = {p.relative_to(LIBRARY).parts[0].removesuffix(".py") for p in LIBRARY.rglob("*.py")}
    needs = {r: set().union(*(imports(p) for p in files_of(r))) & rooms for r in rooms}
    tuple(TopologicalSorter(needs).static_order())  # raises CycleError, which names them


def test_the_picture_of_the_rooms_is_true():
    """In the README each room stands once, and imports only from what stands before it."""
    text = (LIBRARY.parent / "README.md").read_text("utf-8")
    rooms = {p.relative_to(LIBRARY).parts[0].removesuffix(".py") for p in LIBRARY.rglob("*.py")}
    rooms.remove("__init__")
    block = text.split("the lines above its own")[1].split("Stages meet")[0]
    lines = [re.split("  +", line.strip())[0] for line in block.splitlines() if line[:4] == "    "]
    steps = [step.split(" · ") for line in lines for step in line.split(" ── ")]
    assert sorted(sum(steps, [])) == sorted(rooms)
    for n, step in enumerate(steps):
        above = set(sum(steps[:n], []))
        for room in step:
            needs = set().union(*(imports(p) for p in files_of(room))) & rooms - {room}
            assert needs <= above, (room, needs - above)


def test_findings_are_asked_for_only_where_they_are_shown_or_stored():
    users = {p.relative_to(LIBRARY).parts[0].removesuffix(".py") for p in LIBRARY.rglob("*.py")}
    users = {u for u in users if any("findings" in imports(p) for p in files_of(u))}
    assert users == {"month", "briefing", "pipeline", "meetings"}


def test_one_environment_variable_steers_the_library_and_nothing_hangs_on_frames():
    texts = {p.name: p.read_text("utf-8") for p in LIBRARY.rglob("*.py")}
    assert {n for n, t in texts.items() if "environ.get" in t or "environ[" in t} == {
        "reference.py"
    }
    assert not {n for n, t in texts.items() if ".attrs" in t}


def test_every_module_has_a_name_of_its_own():
    names = [p.stem for p in LIBRARY.rglob("*.py") if p.stem != "__init__"]
    names += [p.name for p in LIBRARY.iterdir() if (p / "__init__.py").exists()]
    assert {n for n in names if names.count(n) > 1} == set()


def test_no_module_is_called_utils_and_none_is_unfinished():
    for path in LIBRARY.rglob("*.py"):
        assert path.stem not in {"utils", "util", "helpers", "common"}
        words = set(path.read_text("utf-8").replace("(", " ").split())
        assert not words & {"TODO", "FIXME", "NotImplementedError"}, path.name


def test_data_is_never_checked_with_assert_and_no_error_is_swallowed_bare():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert not isinstance(node, ast.Assert), f"{path.name}:{node.lineno}"
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), (
                f"{path.name}:{node.lineno}"
            )


def test_dataclasses_are_frozen():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for d in getattr(node, "decorator_list", []) if isinstance(node, ast.ClassDef) else []:
                if "dataclass" in ast.unparse(d):
                    assert "frozen=True" in ast.unparse(d), f"{path.name}: {node.name}"
