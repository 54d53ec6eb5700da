"""Findings: what a section says, computed once from the vintage's tables for notebook, slide and brief alike.

The pattern, in ten lines:

1. A function in a theme's module takes `Given` and says what is `Told`; `@finding(…)` describes the measures it owns.
2. `rows` has one row a thing, its measures as floats in the tables' units, and summary rows without `indicator`.
3. Each row names what it rests on in `inputs` (TABLE/region.indicator joined with ;); `source` says who reported it.
4. A line `name [scale [aim]] : head` a measure: 件, %.1, +件; without scale that of its row; the aim it is drawn against.
5. Title and sentences are templates: numbers only as {row.column}, names as {row.label}; [a clause] goes with a zero.
6. A fact is a cell: finding/row/column with value, printed form and inputs. The run stores them as FACTS, what is said as FINDINGS.
7. A notebook asks `month.find("pace")`, shows `.paragraph` and `.table(…)`, draws in `with month.chart(found, …)`.
8. On leaving, bars, ticks and numbers are read back from the page and compared with `rows`; a difference is not saved.
9. Slides and brief take `sentences` and the facts; they compute nothing. A trace is FACTS.inputs, never a search.
10. A new finding is tested on made tables by hand; a mutant that swaps two of its bars must die.
"""

from zcqlib.findings import (
    asks,
    course,
    enterprises,
    intensity,
    outlook,
    patents,
    ranks,
    state,
    targets,
    track_record,
    why,
)
from zcqlib.findings.found import (
    MAKERS,
    FindingError,
    Found,
    Given,
    Measure,
    TwoHomes,
    collect,
    every,
    find,
    finding,
    listed,
)
