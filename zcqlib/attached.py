"""What a run tells the kernel of its notebooks by one call before their first cell; outside a run nothing is told."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Told:
    """Folders and files as text. `locked`: the tables whose lock the run holds; `notes`: where it hears what was read
    and saved; `controls`: whether they are drawn; `formats`, `only`: of an export, which saves nothing else."""

    vintage: str = ""
    notes: str = ""
    locked: str = ""
    controls: bool = True
    size: str = "wide"
    formats: tuple[str, ...] = ()
    only: str = ""


now = Told()


def attach(**told: object) -> Told:
    """Change what is told; gives what was told before."""
    global now
    before, now = now, replace(now, **told)
    return before
