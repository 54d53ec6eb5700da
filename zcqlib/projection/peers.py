"""What an engineer would take instead: ETS and Theta of statsmodels with simulated paths, on the series of the record.

`make record` replays them once on the real monthly series and stores their scores beside this module with a hash of
the series; the notebook recomputes ours alone.
"""

import hashlib
import json
from pathlib import Path

from pandas import DataFrame

from zcqlib.tables import ZcqError

STORED = Path(__file__).with_name("peers.json")
YEARS, ORIGINS = range(2010, 2020), range(1, 12)


class RecordError(ZcqError):
    """The stored scores of the peers belong to other series."""


def fingerprint(series: DataFrame) -> str:
    """Hash of the figures that a record rests on."""
    rows = series.sort_values(["region", "indicator", "end"])
    text = rows.to_csv(
        columns=["region", "indicator", "end", "value"], lineterminator="\n", index=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def stored(series: DataFrame) -> DataFrame:
    """The peers' stored scores: `method`, `k` and the measures.

    Raises
    ------
    RecordError : they were computed on other figures.
    """
    about = json.loads(STORED.read_text("utf-8"))
    if about["series_sha256"] != fingerprint(series):
        raise RecordError(
            "公开月度序列已有变化,对照方法的得分是用旧数据算的。请运行 make record 重算。"
        )
    return DataFrame(about["scores"])


def record_series(published: DataFrame) -> DataFrame:
    """The real monthly series of the record among PUBLISHED: places outside the country, months without gaps."""
    stated = "basis == 'month' and measure == 'value' and value.notna() and indicator != ''"
    o = published.query(stated).assign(months=1, revision=False)
    o["region"] = o.region.where(o.region.ne(""), o.region_raw)
    own = o[o.region.str.match(r"US(-|$)|United States")]
    keep = ["region", "indicator", "start", "end", "months", "value", "revision"]
    return own[keep].drop_duplicates(["region", "indicator", "end"], ignore_index=True)
