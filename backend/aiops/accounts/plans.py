"""The plans, from one YAML file: what each grants a month and where its limits are. What the file says of prices is
read by `aiops.billing.prices`."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from aiops.contract.models import Limits

DEFAULT_FILE = Path(__file__).with_name("plans.yaml")
SMALLEST = "free"
PRICES = "prices"  # what is not a plan in the file

# Of a plan that says nothing of files.
FILE_LIMITS = {"file_megabytes": 200, "stored_files": 20, "stored_megabytes": 500}

Plans = dict[str, Limits]
_PLANS = TypeAdapter(Plans)


def load_plans(path: Path | None) -> Plans:
    """The plans by name.

    Raises:
        ValueError: the file cannot be read, is not of the form that `plans.yaml` shows, or lacks the plan `free`.
    """
    try:
        plans = _PLANS.validate_python(_with_file_limits(read_plans_file(path)))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ValueError(f"The plans file {path} cannot be used: {problems}") from error
    if SMALLEST not in plans:
        raise ValueError(f"The plans file {path} has no plan named {SMALLEST}; accounts start on it.")
    return plans


def read_plans_file(path: Path | None) -> Any:
    """What stands in a plans file, or in the one that comes with aiops.

    Raises:
        ValueError: it cannot be read.
    """
    path = path or DEFAULT_FILE
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"The plans file {path} cannot be used: {' '.join(str(error).split())}") from error


def _with_file_limits(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {
        name: FILE_LIMITS | limits if isinstance(limits, dict) else limits
        for name, limits in tree.items()
        if name != PRICES
    }


def limits_of(plans: Plans, plan: str) -> Limits:
    """The limits of a plan; those of the smallest where an account is on a plan that is no longer in the file."""
    return plans.get(plan) or plans[SMALLEST]
