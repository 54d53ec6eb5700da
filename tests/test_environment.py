"""pyproject.toml, environment.yml and the lock name the same packages; nothing names a host to download from."""

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAMED_BY_THE_MISSION = {"jupyterlab", "pandas", "matplotlib", "seaborn", "statsmodels"}
IMPORT_NAMES = {
    "docx": "python-docx",
    "pptx": "python-pptx",
    "msoffcrypto": "msoffcrypto-tool",
    "python_calamine": "python-calamine",
    "yaml": "pyyaml",
    "distributed": "dask",
    "IPython": "ipykernel",
    "PIL": "pillow",
    "jupyter_client": "nbclient",
    "traitlets": "ipykernel",
    "psutil": "ipykernel",
}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def requirements(lines) -> dict[str, Requirement]:
    return {canonical(r.name): r for r in map(Requirement, lines)}


def declared(*extras: str) -> dict[str, Requirement]:
    lines = list(PROJECT["dependencies"])
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return requirements(lines)


def conda_parts() -> tuple[dict, dict]:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    pip = next(d["pip"] for d in listed if isinstance(d, dict))
    plain = [d for d in listed if isinstance(d, str) and d.split(">")[0] not in ("python", "pip")]
    return requirements(plain), requirements(pip)


def locked() -> dict[str, list[Version]]:
    out: dict[str, list[Version]] = {}
    for name, version in re.findall(
        r"^([\w.-]+)==([\w.!+]+)", (ROOT / "requirements.lock").read_text("utf-8"), re.M
    ):
        out.setdefault(canonical(name), []).append(Version(version))
    return out


def test_conda_file_names_the_five_packages_and_pip_the_rest_with_the_ranges_of_pyproject():
    conda, pip = conda_parts()
    wanted = declared("test")
    assert set(conda) == NAMED_BY_THE_MISSION
    assert set(conda) | set(pip) == set(wanted)
    for name, found in (conda | pip).items():
        assert found.specifier == wanted[name].specifier and found.extras == wanted[name].extras, (
            name
        )


def test_lock_holds_a_version_inside_every_range():
    have = locked()
    for name, wanted in declared("test", "cluster").items():
        assert have.get(name), f"{name} is not in requirements.lock: make lock"
        assert all(wanted.specifier.contains(v) for v in have[name]), (name, have[name])


def test_every_locked_package_carries_hashes():
    blocks = re.split(r"(?m)^(?=[\w.-]+==)", (ROOT / "requirements.lock").read_text("utf-8"))[1:]
    assert len(blocks) > 100
    assert all("--hash=sha256:" in b for b in blocks)


@pytest.mark.parametrize(
    "name",
    [
        "requirements.lock",
        "environment.yml",
        "pyproject.toml",
        "Makefile",
        "setup_env.py",
        "run.bat",
        ".ci/run",
    ],
)
def test_no_set_up_file_names_a_download_host(name):
    assert not re.search(
        r"https?://|index-url\s+\S*\.|pypi\.|--index-url=", (ROOT / name).read_text("utf-8")
    )


def test_every_import_of_the_library_is_a_declared_dependency():
    allowed = (
        set(declared("cluster")) | {canonical(n) for n in sys.stdlib_module_names} | {"zcqlib"}
    )
    wrong = []
    for path in (ROOT / "zcqlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module]
                if isinstance(node, ast.ImportFrom) and node.module and not node.level
                else []
            )
            for name in (n.split(".")[0] for n in names):
                if canonical(IMPORT_NAMES.get(name, name)) not in allowed:
                    wrong.append(f"{path.name}: {name}")
    assert wrong == []


def test_set_up_uses_the_standard_library_only():
    tree = ast.parse((ROOT / "setup_env.py").read_text("utf-8"))
    names = {
        a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    }
    names |= {n.module.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names <= set(sys.stdlib_module_names)


def test_each_make_target_is_a_job_that_set_up_knows():
    import setup_env

    calls = re.findall(r"\$\(DO\) (\w+)", (ROOT / "Makefile").read_text("utf-8"))
    assert calls and set(calls) <= {"setup", "extra", "wheels", *setup_env.JOBS}
    assert "setup_env.py" in (ROOT / "run.bat").read_text("utf-8")
    scripts = re.findall(
        r"python (tests/\w+\.py|data/\S+\.py)", (ROOT / "Makefile").read_text("utf-8")
    )
    assert len(scripts) > 4 and [s for s in scripts if not (ROOT / s).exists()] == []


def test_an_unknown_job_is_refused_in_chinese(monkeypatch):
    import setup_env

    monkeypatch.setattr(setup_env, "install", lambda wheels: None)
    with pytest.raises(SystemExit, match="不认识的命令「fly」"):
        setup_env.main(["fly"])
    with pytest.raises(SystemExit, match="没有附加组「speed」,可用:test、cluster、bench"):
        setup_env.main(["extra", "speed"])
    with pytest.raises(SystemExit, match="离线安装包"):
        setup_env.main(["--wheels", "no-such-folder", "run"])


def test_the_lock_lines_of_one_package_end_where_the_next_begins():
    import setup_env

    lines = setup_env.locked("uv")
    assert lines.startswith("uv==") and "--hash=sha256:" in lines
    assert len(re.findall(r"(?m)^\S+==", lines)) == 1
    assert setup_env.locked("no-such-package") == ""
