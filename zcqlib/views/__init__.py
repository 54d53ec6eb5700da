"""What the notebooks show: one function a figure, from a month's tables to a chart with its computed title.

Each takes a `Month` and a few choices, shapes the frame that the chart wants, lets `briefing` word it and hands it to
`figures`. Nothing is computed that `analysis`, `projection` or `ranking` could compute.
"""

from zcqlib.views.enterprises import contribution, enterprise_identity, enterprise_parts, enterprises, pipeline
from zcqlib.views.parts import place, quarter, row
from zcqlib.views.patents import (
    in_force,
    invention_share,
    months,
    rd_panel,
    relation,
    relation_forest,
    relation_scatter,
)
from zcqlib.views.ranks import places, scores
from zcqlib.views.rd import intensity_moved, intensity_parks, intensity_provinces, intensity_split
from zcqlib.views.record import record, record_error, replay
from zcqlib.views.state import bullet_rows, bullets, orders, problems, submissions
from zcqlib.views.targets import chances, effort, lead, milestones, needed, pace, waterfall
