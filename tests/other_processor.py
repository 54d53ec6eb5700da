"""Compute a demo month's tables anew on the processor that OPENBLAS_CORETYPE names and print a hash of each.

python tests/other_processor.py ROOT READ TABLES...     READ: a folder of processed tables, whose readings are taken
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import pandas as pd
from joblib import parallel_config

from zcqlib import line
from zcqlib.workspace import Workspace

MONTH = pd.Period("2018-09", freq="M")
remember = Workspace.remember


def hashes(root: Path, read: Path, names: list[str]) -> dict[str, str]:
    """SHA-256 of each table's bytes as Parquet; only what was read from files is not done again."""
    stored = Workspace(root, demo=True, made=read)

    def anew(workspace, key, make, shelf=".steps"):
        if getattr(make, "__name__", "") == "read":
            return remember(stored, key, make, shelf)
        return make()

    Workspace.remember = anew
    with tempfile.TemporaryDirectory() as folder, parallel_config(backend="sequential"):
        vintage = line.build(Workspace(root, demo=True, made=Path(folder)), MONTH)
        return {
            n: hashlib.sha256((vintage / f"{n}.parquet").read_bytes()).hexdigest() for n in names
        }


if __name__ == "__main__":
    for name, sha in hashes(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]).items():
        print(name, sha)
