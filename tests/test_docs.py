"""What is written about the project is true: every notebook and command is named, every docstring is complete."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP = {"notebooks", "zcqlib", "data", "figures", "environment.yml", "tests", "README.md"}
PUBLIC_MODULES = ["indicators", "analysis", "ranking", "published"]


def test_the_layout_is_the_one_the_mission_names():
    assert {p.name for p in ROOT.iterdir()} >= TOP
    assert (ROOT / "data" / "raw").is_dir() and (ROOT / "data" / "processed").is_dir()


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_each_readme_begins_with_the_two_commands_and_names_every_notebook(readme):
    text = (ROOT / readme).read_text("utf-8")
    first = re.search(r"```(?:\w*)\n(.*?)```", text, re.S).group(1)
    assert first.split("\n")[0].startswith("make run") and "make test" in first
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        assert path.stem in text, path.stem


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_every_file_that_a_readme_links_to_is_there(readme):
    for link in re.findall(r"\]\((?!http)([^)#]+)", (ROOT / readme).read_text("utf-8")):
        assert (ROOT / link).exists(), link


def test_every_command_that_the_readme_names_exists():
    from typer.main import get_command

    from zcqlib.__main__ import app

    known = set(get_command(app).commands)
    named = set(re.findall(r"python -m zcqlib ([\w-]+)", (ROOT / "README.md").read_text("utf-8")))
    assert named and named <= known
    makes = set(re.findall(r"`make ([\w-]+)`", (ROOT / "README.md").read_text("utf-8")))
    assert makes <= set(re.findall(r"(?m)^([\w-]+):", (ROOT / "Makefile").read_text("utf-8")))


@pytest.mark.parametrize("module", PUBLIC_MODULES)
def test_public_functions_that_take_and_return_tables_say_what_goes_in_and_out(module):
    home = ROOT / "zcqlib"
    for path in sorted((home / module).glob("*.py")) or [home / f"{module}.py"]:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{module}.{node.name}"


def test_nothing_in_the_project_speaks_of_a_machine():
    for path in ROOT.rglob("*"):
        if path.suffix in {".py", ".md", ".toml", ".yml", ".csv", ".ipynb", ".bat"} and not (
            {".venv", "build", "figures", ".git"} & set(path.relative_to(ROOT).parts)
        ):
            text = path.read_text("utf-8", errors="replace")
            assert not re.search(r"(?<![\w./])/(?:work|root|tmp|home)/\w", text), path


def test_notebooks_are_committed_without_outputs():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [] and cell["execution_count"] is None, path.name


def test_the_page_on_the_reference_tables_holds_every_column_as_the_shapes_have_it():
    from reference_readme import README, readme

    assert README.read_text("utf-8") == readme(), "运行 python tests/reference_readme.py"
