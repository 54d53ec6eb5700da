"""Compute the peers of the track record once and store their scores: `make record`."""

import json

import pandas as pd

from zcqlib import catalog, published
from zcqlib.projection import peers
from zcqlib.workspace import Workspace


def main() -> None:
    workspace = Workspace.find()
    figures = published.published_observations(
        workspace.published, catalog.load(workspace.reference)
    )
    found = peers.compute(peers.record_series(published.published_series(figures)))
    peers.STORED.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    print(pd.DataFrame(found["scores"]).to_string())


if __name__ == "__main__":
    main()
