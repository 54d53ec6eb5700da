"""House charts: each may be printed on both pages, and two things swapped on any of them are caught."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_hex
from matplotlib.text import Annotation

from zcqlib import catalog as catalogs
from zcqlib import figures, quantity, tables
from zcqlib.figures import Canvas, Caption, FigureError, theme
from zcqlib.findings import MAKERS, Found, Given, Measure, find
from zcqlib.findings.found import lay
from zcqlib.quantity import Scale
from zcqlib.workspace import Workspace

CATALOG = catalogs.load(Workspace(Path(__file__).resolve().parents[1]).reference, 2018)
PERIOD, NAN = pd.Period("2018-09", "M"), float("nan")
NAMES = ["专利申请总量", "名称特别长的一个指标", "引进市外资金", "孵化面积"]


def found(name, rows, measures, **more):
    """A finding of rows that give what a test needs."""
    rows = lay(rows.assign(inputs="SERIES/zone.x"), measures)
    about = "园区月报", "2018年", PERIOD, PERIOD, True
    return Found(name, rows, measures, *about, "一句标题", **more)


def page(made, draw, panels=None, size="wide", **grid):
    """What `draw` draws of a finding."""
    about = dict(source=made.source, as_of="2018年9月", demo=True)
    sheet = Canvas(Caption(made.title, "完成率（%）；2018年", **about), size)
    draw(sheet.grid(panels, **grid), made)
    return sheet.figure


def glance():
    rows = pd.DataFrame(
        {
            "label": NAMES,
            "indicator": list("abcd"),
            "region": "zone",
            "scale": [Scale("件")] * 4,
            "group": ["1", "1", "6", "9"],
            "promise": ["≥5000件", "≥80件", "按节点完成", "≥4件"],
            "state": ["●把握较大", "■难度较大", "◇按节点推进", "▲尚有悬念"],
            "done": [3000.0, 12.0, 1.0, 2.0],
            "chance": [0.9, 0.004, NAN, 0.42],
            "done_pct": [60.0, 15.0, 20.0, 250.0],
            "on_pace_pct": [70.0, 30.0, NAN, 75.0],
            "low_pct": [90.0, 30.0, NAN, 50.0],
            "median_pct": [101.0, 40.0, NAN, 97.0],
            "high_pct": [110.0, 180.0, NAN, 150.0],
        },
        list("abcd"),
    )
    return found("glance", rows, MAKERS["standing"].measures)


def outlook():
    made = glance()
    return found("glance", made.rows.dropna(subset="chance"), MAKERS["standing"].measures)


def intervals(ax, made):
    year_end = "median_pct", "low_pct", "high_pct"
    figures.spans(ax, made, made.things.index, *year_end, marks={"on_pace_pct": "D"})
    figures.table(ax, made, "state", "chance")


def months(region, values):
    """SERIES of single months and TO_DATE of one year."""
    ends = pd.period_range("2018-01", periods=len(values), freq="M")
    same = dict(region=region, indicator="patent_applications", unit="件", demo=True, end=ends)
    same |= dict(published=ends, revision=False)
    months = pd.DataFrame(same | dict(start=ends, months=1, value=values))
    to_date = months.assign(start=ends[0], months=range(1, len(values) + 1))
    return months, to_date.assign(value=np.cumsum(values))


def year(name, **choices):
    """A finding on patents of the zone and two parks after nine months, with two past years."""
    held = {n: tables.empty(t) for n, t in tables.VINTAGE.items()}
    p, q, series, to_date = [], [], [], []
    for n, region in enumerate(("zone", "gaoxin", "muye")):
        base = np.array([40, 30, 50, 60, 45, 55, 50, 40, 60.0, 55, 50, 90]) * (3 - n)
        for y, growth in ((2016, 0.8), (2017, 1.0)):
            t = months(region, base * growth * (1 + 0.2 * (y == 2016) * (np.arange(12) < 6)))[0]
            shift = 12 * (2018 - y)
            series.append(t.assign(**{c: t[c] - shift for c in ("start", "end", "published")}))
        now, done = months(region, base[:9] * 1.1)
        series, to_date = [*series, now], [*to_date, done]
        aim, middle = base.sum() * 1.15, base.sum() * (1.2 - 0.05 * n)
        chance = (0.8, 0.55, 0.1)[n]
        about = dict(region=region, indicator="patent_applications", year=2018, as_of=PERIOD)
        about |= dict(kind="flow", unit="件", comparator="ge", demo=True, level=0.8, method="m")
        values = dict(actual=done["value"].iloc[-1], target_low=aim, probability=chance)
        spread = dict(median=middle, low=middle * 0.9, high=middle * 1.1, verdict="v")
        p.append(about | values | spread)
        levels = np.arange(0.005, 1, 0.01)
        at = dict(level=levels, value=middle * (0.8 + 0.4 * levels))
        q.append(pd.DataFrame({k: about[k] for k in ("region", "indicator", "year", "as_of")} | at))
    held["PROJECTIONS"] = tables.shape(p, tables.PROJECTIONS)
    held |= dict(SERIES=pd.concat(series), TO_DATE=pd.concat(to_date), QUANTILES=pd.concat(q))
    held["TARGETS"] = CATALOG.targets
    return find(name, Given(held.__getitem__, CATALOG, PERIOD, PERIOD), **choices)


def side_by_side(axes, made):
    figures.course(*axes.values(), made)


def grid():
    names = {"gaoxin": "高新区", "muye": "牧野区"}
    rows = pd.DataFrame(
        [
            dict(label=f"{names[r]}{what}", indicator=what, region=r, at=names[r], chance=p)
            for r, what, p in (
                ("gaoxin", "专利申请总量", 0.02),
                ("muye", "专利申请总量", 0.93),
                ("gaoxin", "孵化面积", 0.41),
                ("gaoxin", "发明专利申请总量", 0.66),
                ("muye", "发明专利申请总量", 0.17),
            )
        ]
    ).set_index(["region", "indicator"], drop=False)
    rows.index = ["|".join(i) for i in rows.index]
    return found("grid", rows, MAKERS["standing"].measures)


def grid_of(ax, made):
    rows, columns = ["专利申请总量", "孵化面积", "发明专利申请总量"], ["高新区", "牧野区"]
    wide = made.things.pivot(index="indicator", columns="at", values="chance")
    wide = wide.reindex(index=rows, columns=columns)
    sns.heatmap(wide, vmin=0, vmax=1, cmap=figures.CHANCES, cbar=False, ax=ax)
    figures.cells(ax, made, "chance", missing="未下达")


def stacked(ax, made):
    ids = ["hard", "good", "met"]
    made.rows.set_index("label")[ids].plot.bar(stacked=True, xlabel="", ax=ax)
    for id in ids:
        figures.values(ax, made, id, inside=True)
    figures.key(ax, made)


def trend():
    counts = {"hard": [5.0, 3.0, 4.0], "good": [2.0, 6.0, 4.0], "met": [0.0, 1.0, 2.0]}
    heads = {k: Measure(k, Scale("项")) for k in counts}
    rows = pd.DataFrame(counts | dict(label=["7月", "8月", "9月"], indicator=""), list("abc"))
    return found("trend", rows, heads)


def why():
    ids = ["before", "new", "restated", "target", "method", "now"]
    rows = pd.DataFrame(
        {
            "label": ["8月报", "9月新数据", "历史数据修订", "目标调整", "方法更新", "9月报"],
            "indicator": "x",
            "scale": [Scale("件")] * 6,
            "said": [59.0, NAN, NAN, NAN, NAN, 73.0],
            "said_points": [NAN, 16.0, -3.0, 0.0, 1.0, NAN],
            "ahead": [5037.0, NAN, NAN, NAN, NAN, 5123.0],
            "ahead_points": [NAN, 97.0, -18.0, 0.0, 7.0, NAN],
            "cause": [
                "上次预测",
                "9月475件，比往年节奏多68件",
                "核减18件",
                "未变",
                "重算",
                "本次预测",
            ],
        },
        [f"x|{i}" for i in ids],
    )
    return found("why", rows, MAKERS["why"].measures)


def record():
    rows = pd.DataFrame(
        {
            "claimed": [10.0, 50.0, 90.0, 0.0, 100.0],
            "came_true": [20.0, 40.0, 95.0, 30.0, 80.0],
            "by_luck": [4.0, 38.0, 85.0, NAN, NAN],
            "by_luck_high": [16.0, 62.0, 99.0, NAN, NAN],
            "cases": [40.0, 25.0, 61.0, 70.0, 56.0],
            "indicator": "record",
        },
        [f"own|{row}" for row in ("said0", "said1", "said2", "sure0", "sure1")],
    )
    rows = rows.assign(label=rows.index, at=rows["claimed"])
    whole = dict(calls=126, share=46, cov80=81, cov95=94, seven=12, seven_came=9)
    return found(
        "record",
        pd.concat([rows, pd.DataFrame(whole | dict(label="合计", indicator=""), ["own|all"])]),
        MAKERS["record"].measures,
    )


def sums():
    """Rows of bars, with a measure that is called like the row below them."""
    rows = dict(label=["甲区", "乙区", "合计"], indicator="x", region=["a", "b", "zone"])
    rows |= dict(own=[0.08, -0.03, 0.05], both=[0.06, 0.01, 0.07])
    measures = dict(
        own=Measure("自身", Scale("分", digits=2)), both=Measure("合计", Scale("分", digits=2))
    )
    return found("sums", pd.DataFrame(rows, ["a", "b", "all"]), measures)


def bars(axes, made):
    figures.bars(axes.values(), made, made.rows.index, ["own", "both"], signed=True)


def places():
    """Three parks in two months, the last one's place unsure, one of August not there."""
    parks, months = ["gaoxin", "hongqi", "muye"], ["2018-08", "2018-09"]
    ids = [(m, p) for m in months for p in parks]
    rows = pd.DataFrame(
        {
            "label": [CATALOG.name(p) + f"（{m}）" * (m[-1] == "8") for m, p in ids],
            "region": [p for _, p in ids],
            "basis": [m for m, _ in ids],
            "at": [f"{m[-1]}月" for m, _ in ids],
            "indicator": "composite",
            "place": [1.0, 2.0, NAN, 2.0, 1.0, 3.0],
            "best": [1.0, 1.0, NAN, 1.0, 1.0, 2.0],
            "worst": [3.0, 3.0, NAN, 2.0, 2.0, 3.0],
            "placed": ["", "", "", "第2位", "第1位", "第3位"],
            "span": ["", "", "", "第1—2位", "第1—2位", "第2—3位"],
            "end_span": ["", "", "", "第1—3位", "第1—2位", "第2—3位"],
        },
        [f"{m}|{p}" for m, p in ids],
    )
    return found("ranks", rows, MAKERS["ranks"].measures)


NOW = ["2018-09|hongqi", "2018-09|gaoxin", "2018-09|muye"]  # by place


def stock():
    """A stock of a year to September: one batch came, some firms left, a second batch is to come."""
    months, known = [f"{m}月" for m in range(1, 13)], range(9)
    rows = pd.DataFrame(
        {
            "at": np.arange(1.0, 13),
            "stock": [69.0 if k < 1 else 70.0 if k < 6 else 78.0 if k < 8 else 77.0 for k in known]
            + [NAN] * 3,
            "recognised": [9.0 if k == 6 else 0.0 for k in known] + [NAN] * 3,
            "lapsed": [-1.0 if k in (6, 8) else 0.0 for k in known] + [NAN] * 3,
            "by_batches": [70.0 + k for k in range(11)] + [95.0],
            "by_months": np.linspace(72, 95, 12),
            "indicator": "hightech_enterprises",
        },
        months,
    )
    whole = dict(opening=70.0, recognised=9.0, lapsed=-2.0, stock=77.0, stock_aim=95.0)
    whole |= dict(year_end=93.0, year_end_low=88.0, year_end_high=97.0)
    more = pd.DataFrame([whole, dict(at=7.0)], ["all", "batch|1"])
    rows = pd.concat([rows, more]).assign(scale=Scale("家"))
    rows["label"] = [*months, "合计", "首批认定"]
    rows["indicator"] = rows["indicator"].fillna("")
    return found("enterprise_stock", rows, MAKERS["enterprise_stock"].measures)


LEADS = [["zone", "gaoxin", "muye"]]

# chart → finding, what draws it, panels, settings of the grid
CHARTS = {
    "bullets": (glance, figures.bullets, None, {}),
    "intervals": (outlook, intervals, None, {}),
    "course": (lambda: year("course"), side_by_side, "yyyye", {}),
    "grid": (grid, grid_of, None, {}),
    "trend": (trend, stacked, None, {}),
    "why": (why, figures.waterfall, None, {}),
    "bars": (sums, bars, [["own", "both"]], dict(sharey=True)),
    "record": (record, lambda ax, f: figures.calibration(ax, f, "own"), None, {}),
    "places": (
        places,
        lambda axes, f: figures.places(axes, f, NOW),
        [["now", row] for row in NOW],
        dict(width_ratios=[5, 3]),
    ),
    "stock": (
        stock,
        lambda axes, f: figures.stock(axes["a"], axes["b"], f),
        [["a"], ["b"]],
        dict(sharex=True, height_ratios=[3, 2]),
    ),
    "lead": (lambda: year("lead"), figures.lead, LEADS, dict(sharex=True, sharey=True)),
}


@pytest.mark.parametrize("size", ["wide", "a4"])
@pytest.mark.parametrize("name", CHARTS)
def test_every_house_chart_is_its_finding_and_may_be_printed(name, size):
    make, draw, panels, grid = CHARTS[name]
    made = make()
    figure = page(made, draw, panels, size, **grid)
    assert figures.compare(figure, made) > 3
    figures.finish(figure, made)
    figures.check(figure)


def swaps(figure):
    """Each pair of things of one kind on a page, as a function that exchanges them; done twice it changes nothing."""
    for ax in figure.axes:
        for group in ax.containers:
            flat = group.orientation == "horizontal"
            yield from _pairs(group, "width" if flat else "height")
        for line in ax.lines:
            own = line.get_label() != "ending"  # dots that may stand side by side
            if own and line.get_transform() == ax.transData and line.get_gid() != figures.REFERENCE:
                for part in ("xdata", "ydata"):
                    yield from _inside(line, part)
        for c in ax.collections:
            if isinstance(c, LineCollection) and c.get_gid():
                yield from _segments(c)
            elif isinstance(c, PolyCollection) and c.get_gid() and not _level(c):
                yield c.get_gid(), lambda c=c: _mirrored(c)
            elif isinstance(c, QuadMesh):
                yield from _inside(c, "array")
        texts = [t for t in ax.findobj(Annotation) if t.get_gid()]
        columns = pd.Series(texts).groupby([t.get_gid().split("/")[-1] for t in texts])
        for _, same in columns:
            yield from _pairs(list({t.get_gid(): t for t in same}.values()), "text")


def _pairs(things, what):
    have = [getattr(t, f"get_{what}")() for t in things]
    for i, j in zip(range(len(have)), range(1, len(have)), strict=False):
        if have[i] != have[j] and have[i] == have[i] and have[j] == have[j]:

            def swap(a=things[i], b=things[j]):
                one, other = (getattr(t, f"get_{what}")() for t in (a, b))
                getattr(a, f"set_{what}")(other), getattr(b, f"set_{what}")(one)

            yield f"{what} {have[i]} {have[j]}", swap


def _inside(thing, what):
    """The first two values of an array that differ."""
    if what == "xdata" and np.ptp(thing.get_ydata()) == 0:
        return  # a level is the same everywhere
    plain = {} if what == "array" else dict(orig=False)  # names of a category as numbers

    def have():
        got = getattr(thing, f"get_{what}")(**plain)
        return np.ma.filled(np.ma.asarray(got, float), np.nan)

    values = have()
    seen = np.isfinite(thing.get_xydata()).all(axis=1) if what != "array" else np.isfinite(values)
    known = np.flatnonzero(seen.ravel())
    differ = [k for k in known if values.ravel()[k] != values.ravel()[known[0]]]
    if differ:

        def swap(i=known[0], j=differ[0]):
            now = np.array(have())
            now.ravel()[[i, j]] = now.ravel()[[j, i]]
            getattr(thing, f"set_{what}")(np.ma.masked_invalid(now) if what == "array" else now)

        yield f"{what} of {thing.get_label()}", swap


def _drawn(c):
    """The segments without those of missing values."""
    return [s for s in c.get_segments() if len(s)]


def _segments(c):
    segments = _drawn(c)
    if len(segments) > 1 and not np.array_equal(segments[0], segments[1]):
        yield (
            c.get_gid(),
            lambda: c.set_segments([_ends(c, 1, 0), _ends(c, 0, 1), *_drawn(c)[2:]]),
        )
    yield c.get_gid(), lambda: c.set_gid("+".join(reversed(c.get_gid().split("+"))))


def _ends(c, of, at):
    """The segment `of` at the place of another one."""
    one, other = _drawn(c)[of], _drawn(c)[at]
    free = 0 if one[0, 0] != one[1, 0] or one[0, 1] == one[1, 1] else 1
    out = np.array(other)
    out[:, free] = one[:, free]
    return out


def _level(c):
    return all(len(set(path.vertices[:, 1])) <= 2 for path in c.get_paths())


def _mirrored(c):
    for path in c.get_paths():
        xs = path.vertices[:, 0]
        path.vertices[:, 0] = xs.min() + xs.max() - xs


@pytest.mark.parametrize("name", CHARTS)
def test_two_things_swapped_on_a_house_chart_are_caught(name):
    make, draw, panels, grid = CHARTS[name]
    made = make()
    figure = page(made, draw, panels, **grid)
    tried = 0
    for what, swap in swaps(figure):
        swap()
        with pytest.raises(FigureError):
            figures.compare(figure, made)
            pytest.fail(f"nobody saw {what}")
        swap()
        tried += 1
    assert tried > 3
    figures.compare(figure, made)


def test_what_an_analyst_draws_is_written_down_with_dates_and_the_cells_of_a_heat_map():
    sheet = Canvas(Caption("标题", "件数（件）", "园区月报", "2018年9月", True))
    left, right = sheet.grid("ab").values()
    left.plot(pd.to_datetime(["2018-01-01", "2018-02-01"]), [3.0, 5.0], label="授权")
    wide = pd.DataFrame([[1.0, 2.0], [NAN, 4.0]], ["高新区", "牧野区"], ["1月", "2月"])
    sns.heatmap(wide, cbar=False, ax=right)
    seen = figures.seen(sheet)
    assert seen.values.tolist()[:2] == [
        [1, "授权", "2018-01-01", 3.0],
        [1, "授权", "2018-02-01", 5.0],
    ]
    cells = seen[seen["图"].eq(2)].set_index(["系列", "横轴"])["纵轴"]
    assert cells["高新区", "2月"] == 2 and cells["牧野区", "2月"] == 4
    assert np.isnan(cells["牧野区", "1月"]) and len(cells) == 4


def test_numbers_in_bars_are_white_on_dark_ground_only_and_years_have_no_comma():
    figure = page(trend(), stacked)
    ink = {t.get_text(): t.get_color() for t in figure.axes[0].texts}
    assert ink["1项"] in ("white", figures.NAVY, "#1F2937") and len(set(ink.values())) > 1
    made = found(
        "years",
        pd.DataFrame(
            dict(label="甲", indicator="x", at=[2015, 2016, 2017], n=[1000.0, 3000.0, 2000.0]),
            ["a|2015", "a|2016", "a|2017"],
        ),
        {"n": Measure("件数", Scale("件"))},
    )
    figure = page(made, lambda ax, f: (ax.plot(f.rows["at"], f.rows["n"]), ax.set(ylabel="n")))
    figures.finish(figure, made)
    marks = {t for t in figures.texts(figure) if t.replace(",", "").isdigit()}
    assert {"2015", "2016", "2017"} <= marks and "2,000" in marks


def test_chances_on_an_axis_are_marked_in_per_cent():
    made = why()
    figure = page(made, figures.waterfall)
    figures.finish(figure, made)
    assert {"60", "70"} <= set(figures.texts(figure))


def test_lights_are_printed_in_their_own_colour():
    figure = page(glance(), figures.bullets)
    shown = {t.get_text(): t.get_color() for ax in figure.axes for t in ax.texts}
    assert shown["■难度较大"] == f"#{quantity.lights().state('hard').text}"


# the course of a year -------------------------------------------------------------------------------------------------


def test_the_course_by_hand():
    made = year("course", indicator="patent_applications")
    t, row = made.rows, "patent_applications"
    base = np.array([40, 30, 50, 60, 45, 55, 50, 40, 60, 55, 50, 90]) * 3
    assert t.at[f"{row}|9", "so_far"] == pytest.approx(1.1 * base[:9].sum())
    assert t.at[f"{row}|9", "straight"] == pytest.approx(0.75 * 1.15 * base.sum())
    early = np.where(np.arange(12) < 6, 1.2, 1.0) * base
    shares = base[:9].sum() / base.sum(), early[:9].sum() / early.sum()
    assert t.at[f"{row}|9", "seasonal"] == pytest.approx(np.mean(shares) * 1.15 * base.sum())
    assert (t.at[f"{row}|9", "least"], t.at[f"{row}|9", "most"]) == pytest.approx(
        tuple(s * 1.15 * base.sum() for s in sorted(shares))
    )
    assert t.at[f"{row}|12", "low80"] == pytest.approx(1.2 * base.sum() * 0.84)
    assert t.at[f"{row}|12", "high95"] == pytest.approx(1.2 * base.sum() * 1.19)
    assert t.at[f"{row}|9", "low80"] == t.at[f"{row}|9", "so_far"] == t.at[f"{row}|9", "middle"]
    assert np.isnan(t.at[f"{row}|8", "low80"]) and np.isnan(t.at[f"{row}|10", "so_far"])
    past = t.loc[[f"{row}|{m}" for m in range(9, 13)], ["seasonal", "middle"]]
    way = (past - past.iloc[0]) / (past.iloc[-1] - past.iloc[0])
    assert way["middle"].tolist() == pytest.approx(way["seasonal"].tolist())
    assert t["ending"].count() == 20 and t["ending"].median() == pytest.approx(1.2 * base.sum())


def test_without_figure_and_projection_there_is_no_course():
    made = year("course", indicator="patent_grants", region="muye")
    assert made.title == "牧野区专利授权量今年还没有数" and made.missing and made.facts().empty


def test_a_year_end_that_is_none_of_the_twenty_is_caught():
    made = year("course")
    figure = page(made, side_by_side, "yyyye")
    dots = next(c for c in figure.axes[1].collections if c.get_label() == "ending")
    dots.set_offsets(dots.get_offsets() * [1, 1.01])
    with pytest.raises(FigureError, match="course/ending/ending 点为"):
        figures.compare(figure, made)


def test_the_lead_ends_at_the_distance_to_the_target_and_counts_parks_over_a_half():
    made = year("lead")
    row = "muye|patent_applications"
    assert made.rows.at[f"{row}|12", "middle_lead"] == pytest.approx(100 * (1.1 / 1.15 - 1))
    assert made.rows.at[f"{row}|12", "straight_lead"] == pytest.approx(0)
    assert made.title == "专利申请总量：2个有目标的园区中1个把握过半"
    assert list(made.things["region"].unique()) == ["zone", "gaoxin", "muye"]
    assert year("lead", indicator="patent_grants").title == "园区目标未下达，不作判断"


def test_a_panel_that_is_called_like_a_row_by_its_measure_shows_all_rows():
    heads = {"n": Measure("合计", Scale("项"))}
    rows = pd.DataFrame(dict(label=["甲", "合计"], indicator=["x", ""], n=[3.0, 5.0]), ["a", "all"])
    made = found("sums", rows, heads)
    figure = page(
        made, lambda axes, f: figures.bars(axes.values(), f, f.rows.index, ["n"]), [["n"]]
    )
    assert figures.compare(figure, made) == 2


def test_what_rises_is_green_and_what_falls_is_red_and_hatched():
    figure = page(why(), figures.waterfall)
    (parts,) = figure.axes[0].containers
    edges = {bar.get_width(): to_hex(bar.get_edgecolor()).upper() for bar in parts}
    assert edges[16] == edges[1] == theme.RISE.upper() and edges[-3] == theme.FALL.upper()
    assert [bool(bar.get_hatch()) for bar in parts if bar.get_width() in (16, -3)] == [False, True]


def test_labels_move_apart_inside_the_room_that_there_is():
    assert theme.spread([9.0, 9.0, 9.0], 1, 0, 10).tolist() == [8, 9, 10]
    assert theme.spread([0.0, 0.0], 1, 0, 10).tolist() == [0, 1]
    assert theme.spread([5.0, 5.0, 5.0], 4, 4, 6).tolist() == [1, 5, 9]  # there is no room
