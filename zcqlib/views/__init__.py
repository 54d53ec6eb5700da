"""What the notebooks show: one function a figure, from a month's tables to a chart with its computed title.

Each takes a `Month` and a few choices, shapes the frame that the chart wants, lets `briefing` word it and hands it to
`figures`. Nothing is computed that `analysis`, `projection` or `ranking` could compute.
"""

from zcqlib.views.members import membership
from zcqlib.views.record import (
    error_share,
    joint_table,
    own_calls,
    own_replay,
    own_table,
    own_told,
    record,
    record_table,
    replay,
)
