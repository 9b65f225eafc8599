"""The table of the rules, and the review by all of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiops_connect.platforms.make.review import app, communication, connection, dates, language, modules, parameters
from aiops_connect.platforms.make.review.source import Source

RULES = {
    "R1": app.is_in_production,
    "R2": app.has_one_universal_module,
    "R3": app.holds_no_secrets,
    "R4": app.groups_all_modules,
    "R5": connection.base_is_complete,
    "R6": connection.errors_say_something,
    "R7": connection.statuses_have_their_types,
    "R8": connection.connections_are_tested,
    "R9": modules.says_what_it_does,
    "R10": modules.has_a_valid_id,
    "R11": modules.is_complete,
    "R12": communication.actions_give_one_bundle,
    "R13": communication.searches_are_limited,
    "R14": communication.addresses_are_plain,
    "R15": dates.are_formatted_and_parsed,
    "R16": parameters.are_in_order,
    "R17": modules.labels_its_output,
    "R18": parameters.are_mappable,
    "R19": communication.nothing_found_is_an_error,
    "R20": parameters.ids_can_be_chosen,
    "R21": parameters.models_are_readable,
    "R22": communication.repeats_are_bounded,
    "R23": connection.waits_long_enough,
    "R24": app.functions_are_tested,
    "R25": language.expressions_are_valid,
    "R26": parameters.banners_are_short,
    "R27": communication.polling_is_bounded,
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A rule that a file does not keep."""

    file: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.message}"


def review(files: dict[str, Any], rules: Iterable[str] = RULES) -> list[Finding]:
    """What is to be mended before the app is sent to Make; `files` are the parsed files of the app by their paths."""
    source = Source(files)
    return sorted(Finding(file, rule, message) for rule in rules for file, message in RULES[rule](source))
