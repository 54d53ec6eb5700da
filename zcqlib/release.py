"""What was handed over: a month's figures and tables frozen, and a note of correction for what changes afterwards."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from zcqlib import catalog as catalogs
from zcqlib import manifest, pipeline, quantity
from zcqlib import run as monthly
from zcqlib.catalog import Catalog
from zcqlib.pipeline import PLACE
from zcqlib.tables import ZcqError
from zcqlib.workspace import Workspace, digest, placed, write_atomic, written

STATUSES = ("初步", "定稿")
NUMBERS = {
    "actual": "已完成",
    "target_low": "目标",
    "target_high": "目标上限",
    "median": "年末预计",
    "low": "区间下限",
    "high": "区间上限",
    "probability": "把握",
}
PENDING = "更正说明_待发布.md"
METHOD, TARGET, DATA = "方法或参考表更新", "目标调整", "前期数据修订"
COLUMNS = ["地区", "指标", "项目", "原说", "现为", "原因"]


class ReleaseError(ZcqError):
    """A month that cannot be handed over; says what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Release:
    """One handing-over: `corrections` are the numbers that the one before had otherwise; `is_new` is False where
    nothing has changed since."""

    number: int
    status: str
    folder: Path
    corrections: pd.DataFrame = field(repr=False)
    is_new: bool = True


def release(
    workspace: Workspace, month: pd.Period, status: str = "定稿", as_of: pd.Period | None = None
) -> Release:
    """Freeze what is handed over of a month in figures/<month>/release-<n>, read-only; earlier ones are never touched.

    Parameters
    ----------
    status : 初步 or 定稿. as_of : hand over the month as seen with later reports.
    Returns
    -------
    Release. From the second one on its folder holds 更正说明 (Markdown and CSV) against the one before.
    Raises
    ------
    ReleaseError : another status, a notebook that failed or was not run, a difference found by `verify`, an earlier
        release that somebody changed. ZcqError : the month was never run.
    Source
    ------
    本月运行清单、数据版本与此前各次发布。
    """
    if status not in STATUSES:
        raise ReleaseError(f"发布状态「{status}」不能识别,应为 {'、'.join(STATUSES)}。")
    with workspace.lock():
        folder, earlier = workspace.figures(month, as_of), workspace.releases(month)
        wrong = [d for old in earlier for d in damaged(old)] + manifest.verify(
            workspace, month, as_of
        )
        ran = manifest.read_manifest(folder)["notebooks"]
        wrong += [
            f"笔记本 {p.stem} 没有跑完。"
            for p in monthly.notebooks(workspace.root)
            if ran.get(p.stem, {}).get("state", "failed") == "failed"
        ]
        if pipeline.published_only(workspace.current(month, as_of)):
            wrong.append("没有园区报表,没有可以交出的数字。")
        if wrong:
            raise ReleaseError(
                f"{month} 核对发现 {len(wrong)} 处不符,没有发布:{''.join(wrong[:5])}"
                "请查明原因,重新运行该月后再发布。"
            )
        files = {
            p.relative_to(folder).as_posix(): p
            for p in sorted(folder.rglob("*"))
            if p.is_file()
            and not p.relative_to(folder).parts[0].startswith(("release-", ".", PENDING))
        }
        vintage = workspace.current(month, as_of)
        files |= {f"tables/{vintage.name}/{p.name}": p for p in sorted(vintage.iterdir())}
        record = {
            "month": str(month),
            "as_of": str(as_of or month),
            "demo": workspace.demo,
            "status": status,
            "vintage": vintage.name,
            "files": {name: digest(p) for name, p in files.items()},
        }
        note = corrections(workspace, [None, *earlier][-1], month, as_of)
        if earlier and (last := _record(earlier[-1])) | {"files": _own(last)} == record:
            return Release(len(earlier), status, earlier[-1], note, False)
        number = len(earlier) + 1
        home = workspace.figures(month) / f"release-{number}"
        with written(home), placed(home) as new:
            for name, path in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, new / name)
            if earlier:
                told = {
                    "更正说明.md": note_text(note, record, number).encode(),
                    "更正说明.csv": note.to_csv(index=False).encode("utf-8-sig"),
                }
                for name, data in told.items():
                    (new / name).write_bytes(data)
                    record["files"][name] = digest(data)
            (new / "release.json").write_text(
                json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True), "utf-8"
            )
            for path in new.rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o444)
    (folder / PENDING).unlink(missing_ok=True)
    return Release(number, status, home, note)


def pending(workspace: Workspace, month: pd.Period, as_of: pd.Period | None = None) -> Path | None:
    """Say what a run changed of what was last handed over of the month; None, and no note, where nothing did.

    Returns
    -------
    the note of correction that the next release will hold, in the folder of the month's figures.
    """
    earlier, path = workspace.releases(month), workspace.figures(month, as_of) / PENDING
    note = corrections(workspace, [None, *earlier][-1], month, as_of)
    if note.empty:
        path.unlink(missing_ok=True)
        return None
    record = {"month": str(month), "status": "待发布", "demo": workspace.demo}
    write_atomic(path, note_text(note, record, len(earlier) + 1).encode())
    return path


def _record(folder: Path) -> dict:
    return json.loads((folder / "release.json").read_text("utf-8"))


def _own(record: dict) -> dict[str, str]:
    """The files of a release without its note of correction."""
    return {name: sha for name, sha in record["files"].items() if not name.startswith("更正说明")}


def tables_of(folder: Path) -> Path:
    """The vintage that a release holds."""
    return folder / "tables" / _record(folder)["vintage"]


def damaged(folder: Path) -> list[str]:
    """One sentence for each file of a release that is no longer as it was handed over."""
    changed = manifest.altered(folder, _record(folder)["files"])
    return [f"{folder.name} 的 {name} 已被改动或删除。" for name in changed]


def corrections(
    workspace: Workspace, said: Path | None, month: pd.Period, as_of: pd.Period | None = None
) -> pd.DataFrame:
    """Every number of a release that would be printed otherwise today.

    Parameters
    ----------
    said : folder of the release, None where nothing was handed over.
    Returns
    -------
    COLUMNS: place, indicator, which number, what was said, what it is now, why. Reasons are found by replacing method,
    data and targets one after another; of changed data the files are named. Places follow the park's numbers, the
    rules, or the other parks.
    """
    catalog = catalogs.load(workspace.reference, month.year)
    now = pipeline.build(workspace, month, as_of)
    stored = tables_of(said) if said else now
    if stored.name == now.name or pipeline.published_only(now):
        return pd.DataFrame(columns=COLUMNS)
    states = pipeline.since(workspace, stored, month, as_of)
    files = _changed_files(workspace, stored, now)
    ends = zip((states[0], states[-1]), (stored, now), strict=True)
    told = [pd.concat([_numbers(p), _places(v, catalog)]) for p, v in ends]
    values = [p.set_index(PLACE)[list(NUMBERS)].stack() for p in states]
    rules = ["权重或界值调整"] * _other_rules(workspace, stored, now)
    rows, reasons = [], {}
    for key in told[0].index.union(told[1].index, sort=False):
        before, after = (t.get(key, quantity.NONE) for t in told)
        if before == after:
            continue
        region, indicator, what = key
        if what in NUMBERS:
            own = [v.get(key, float("nan")) for v in values]
            why = _why(own, _files_of(files, region, indicator, catalog))
            reasons.setdefault(region, []).extend(why)
        else:
            why = rules + list(dict.fromkeys(reasons.get(region, [])))[:2] or ["其他园区的数字变化"]
        about = catalog.name(region), catalog.name(indicator), NUMBERS.get(what, what)
        rows.append((*about, before, after, ";".join(why)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _numbers(projections: pd.DataFrame) -> pd.Series:
    """What is printed of each target, by region, indicator and column of NUMBERS."""
    t = projections.melt([*PLACE, "unit"], list(NUMBERS), "what").sort_values(PLACE, kind="stable")
    t["printed"] = [
        quantity.chance_number(r.value)
        if r.what == "probability"
        else quantity.number(r.value, r.unit, 2 if r.indicator == "rd_intensity" else None)
        for r in t.itertuples()
    ]
    return t.set_index([*PLACE, "what"])["printed"]


def _places(vintage: Path, catalog: Catalog) -> pd.Series:
    """What is printed of each place and score, by park, list and 位次 or 得分."""
    t = pd.read_parquet(vintage / "RANKS.parquet").query("measure == 'score'")
    names = catalog.weights.set_index("id")["name_zh"]
    t["indicator"] = t["indicator"].map(names).fillna("综合") + "(" + t["period"] + ")"
    t["位次"] = ["不排位" if r != r else f"第{int(r)}位" for r in t["rank"]]
    t["得分"] = [quantity.number(v, "分") for v in t["value"]]
    return t.sort_values([*PLACE, "period"]).set_index(PLACE)[["位次", "得分"]].stack()


def _other_rules(workspace: Workspace, said: Path, now: Path) -> bool:
    """Whether weights or bounds have changed since."""
    then, today = (
        {
            n: h
            for n, h in workspace.recipe(v)["inputs"].items()
            if re.search("/(weights|bounds)", n)
        }
        for v in (said, now)
    )
    return then != today


def _why(values: list[float], files: list[str]) -> list[str]:
    """Which of method, data and targets changed a number, in the order in which they were replaced."""
    out = []
    for a, b, reason in zip(values[:-1], values[1:], (METHOD, DATA, TARGET), strict=True):
        if (a != a) != (b != b) or abs(a - b) > 1e-9 * max(1.0, abs(a)):
            out += files or [DATA] if reason == DATA else [reason]
    return out


def _changed_files(workspace: Workspace, said: Path, now: Path) -> pd.DataFrame:
    """Figures that came, changed or went since: `region`, `indicator`, `told`, a file and what became of it."""
    old, new = (pd.read_parquet(v / "OBSERVATIONS.parquet") for v in (said, now))
    had, have = (
        {name.removeprefix("data/raw/") for name in workspace.recipe(v)["inputs"]} | set(o["file"])
        for v, o in ((said, old), (now, new))
    )
    both = []
    for seen, before, other, told in ((new, old, had, "新到报表"), (old, new, have, "报表撤下")):
        f = seen.loc[~seen["obs_id"].isin(before["obs_id"]), [*PLACE, "file"]]
        what = f["file"].isin(other).map({True: "报表改动:", False: f"{told}:"})
        both.append(f.assign(told=what + f["file"].str.split("/").str[-1]))
    return pd.concat(both).drop(columns="file").drop_duplicates().sort_values("told")


def _files_of(files: pd.DataFrame, region: str, indicator: str, catalog: Catalog) -> list[str]:
    """The changed files that a target's figures come from, three at most."""
    i = catalog.indicators[indicator]
    of = {indicator, i.numerator, i.denominator, i.growth_of, i.part_of} - {""}
    places = {region, *(catalog.parks if region == "zone" else ())}
    own = files["region"].isin(places) & files["indicator"].isin(of)
    found = list(files.loc[own, "told"].unique())
    return found[:3] + [f"等 {len(found)} 个文件"] * (len(found) > 3)


def note_text(note: pd.DataFrame, record: dict, number: int) -> str:
    """更正说明 as Markdown."""
    head = f"# 更正说明:{record['month']} 第{number}次发布({record['status']})\n\n"
    head += f"【{quantity.DEMO}】" if record["demo"] else ""
    if note.empty:
        return quantity.typeset(f"{head}与第{number - 1}次发布相比,没有数字变化。\n")
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += [
        "| " + " | ".join(str(v).replace("|", "/") for v in r) + " |"
        for r in note.itertuples(index=False)
    ]
    told = f"{head}与第{number - 1}次发布相比,{len(note)}个数字不同。按“方法→数据→目标”的顺序逐项替换找出原因。"
    return quantity.typeset(told) + "\n\n" + "\n".join(lines) + "\n"
