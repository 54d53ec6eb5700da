"""The self-check finds what is wrong with a machine and says what to do."""

import os
import shutil
from pathlib import Path

import pytest

from zcqlib import doctor
from zcqlib.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def workspace(tmp_path):
    shutil.copytree(ROOT / "data" / "raw" / "reference", tmp_path / "data" / "raw" / "reference")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    return Workspace(tmp_path)


def test_a_package_of_another_version_or_missing_is_named_with_the_remedy(workspace):
    lock = workspace.root / "requirements.lock"
    lock.write_text(
        "pandas==0.1 \\\n    --hash=sha256:00\nno-such-package==1 \\\n    --hash=sha256:00\n"
        "only-there==1 ; sys_platform == 'win33'\n",
        "utf-8",
    )
    well, found = doctor.packages(workspace)
    assert not well and "no-such-package 未安装" in found and "应为 0.1" in found
    assert "only-there" not in found
    lock.unlink()
    assert "没有 requirements.lock" in doctor.packages(workspace)[1]


def test_a_place_where_nothing_can_be_written_is_named(workspace):
    (workspace.root / "figures").write_text("a file where the folder should be", "utf-8")
    well, found = doctor.permission(workspace)
    assert not well and str(workspace.root / "figures") in found


def test_a_clock_that_is_behind_the_files_is_named(workspace):
    late = 4_000_000_000
    os.utime(workspace.reference / "targets_2018.csv", (late, late))
    well, found = doctor.clock(workspace)
    assert not well and "早于参考表的修改时间" in found


def test_too_little_memory_or_disk_is_named(workspace, monkeypatch):
    monkeypatch.setattr(doctor, "MEMORY", 10**6)
    monkeypatch.setattr(doctor, "DISK", 10**6)
    assert not doctor.memory(workspace)[0] and not doctor.disk(workspace)[0]


def test_a_check_that_breaks_is_a_finding_and_the_others_still_run(workspace, monkeypatch):
    def broken(_):
        raise OSError("no such device")

    monkeypatch.setitem(doctor.CHECKS, "磁盘", (broken, "请清理磁盘。"))
    findings = {f.name: f for f in doctor.examine(workspace)}
    assert not findings["磁盘"].well and "no such device" in findings["磁盘"].found
    assert "维护人员" in findings["磁盘"].do and "setup_env.py setup" in findings["软件包"].do
    assert findings["计算内核"].well and findings["中文字体"].well and len(findings) == 8
