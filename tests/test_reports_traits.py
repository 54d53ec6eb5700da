"""Each of the 93 traits of the catalogue of reports has a test whose name holds its number: t07 in front, or trait_74."""

import re
from pathlib import Path


def test_every_trait_has_a_test_named_after_it():
    names = [
        name
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.M)
    ]
    found = {
        int(n)
        for name in names
        for n in re.findall(r"(?:^test_|_)t(\d\d)(?=_)|traits?_(\d\d)", name)
        for n in n
        if n
    }
    found |= {
        n
        for name in names
        for a, b in re.findall(r"traits_(\d\d)_to_(\d\d)", name)
        for n in range(int(a), int(b) + 1)
    }
    assert sorted(set(range(1, 94)) - found) == []
