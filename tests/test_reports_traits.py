"""Each of the 93 traits of the catalogue of reports has a test: named test_tNN_..., or listed here where it is consolidation."""
import re
from pathlib import Path

HERE = Path(__file__).parent
CONSOLIDATED = {  # traits that concern several reports, tested where the months are made
    74: "test_stated_growth_that_the_levels_do_not_give_is_a_warning_only_in_current_prices",
    75: "test_growth_uses_the_base_as_it_is_known_this_year",
    83: "test_the_same_fact_twice_with_one_value_is_one_observation_and_both_places_are_kept",
    84: "test_the_later_report_wins_and_the_earlier_value_stays_in_the_history",
    85: "test_within_a_month_the_later_submission_wins",
    86: "test_two_figures_without_an_order_are_a_conflict_and_neither_is_used",
    87: "test_a_department_outweighs_a_park_even_where_the_park_reports_later",
    88: "test_a_figure_left_blank_later_stays_and_is_asked_about",
    89: "test_a_series_revised_at_once_is_summed_up_in_one_line",
}


def _named() -> dict[str, str]:
    return {name: path.name for path in HERE.glob("test_*.py") for name in re.findall(r"^def (test_\w+)\(", path.read_text("utf-8"), re.M)}


def test_every_trait_has_a_test():
    named = _named()
    read = {int(n) for name, file in named.items() if file.startswith("test_reports_")
            for n in re.findall(r"t(\d\d)(?=_)", name.partition("test_")[2])}
    assert read | set(CONSOLIDATED) == set(range(1, 94)) and not read & set(CONSOLIDATED)
    assert set(CONSOLIDATED.values()) <= set(named)
