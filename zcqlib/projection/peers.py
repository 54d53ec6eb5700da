"""What an engineer would take instead: ETS and Theta of statsmodels with simulated paths, on the series of the record.

`make record` replays them once on the real monthly series and stores their scores beside this module with a hash of
series, years and origins; the notebook recomputes ours alone.
"""

import hashlib
import json
from pathlib import Path

import pandas as pd

from zcqlib.tables import ZcqError

STORED = Path(__file__).with_name("peers.json")
YEARS, ORIGINS = range(2010, 2020), range(1, 12)


class RecordError(ZcqError):
    """The stored scores of the peers belong to other series."""


def fingerprint(series: pd.DataFrame) -> str:
    """Hash of the figures that a record rests on and of what is asked of them."""
    rows = series.sort_values(["region", "indicator", "end"])
    rows = rows[["region", "indicator", "end", "value"]].astype({"end": "str"})
    text = ["|".join((*place, repr(v))) for *place, v in rows.itertuples(index=False)]
    text += [str(list(YEARS)), str(list(ORIGINS))]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def stored(series: pd.DataFrame) -> pd.DataFrame:
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
    return pd.DataFrame(about["scores"])


def record_series(published: pd.DataFrame) -> pd.DataFrame:
    """The real monthly series of the record among PUBLISHED: places outside the country, months without gaps."""
    o = published[published["basis"].eq("month") & published["measure"].eq("value")]
    o = o[o["value"].notna() & o["indicator"].ne("")]
    o = o.assign(region=o["region"].where(o["region"].ne(""), o["region_raw"]))
    own = o[o["region"].str.match(r"US(-|$)|United States")].assign(months=1, revision=False)
    keep = ["region", "indicator", "start", "end", "months", "value", "revision"]
    return own[keep].drop_duplicates(["region", "indicator", "end"], ignore_index=True)
