"""Polling triggers: which bundles are new, in which order they come out, and what is kept until the next run.

Source: "Trigger" and `response.trigger` in Make's documentation.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key
from typing import Literal

from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.errors import AppError
from aiops_connect.platforms.make.runner.iml import operators
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.moment import guess_moment
from aiops_connect.platforms.make.runner.iml.values import Value, is_missing, to_text
from aiops_connect.platforms.make.runner.pages import Bundle
from aiops_connect.platforms.make.runner.run import Run


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger goes by, and how far it got at its last run."""

    type: Literal["id", "date"]
    order: Literal["asc", "desc", "unordered"]
    block: Block
    run: Run
    last_id: Value
    last_date: Value
    same_date_ids: tuple[str, ...]

    def has_known(self, bundles: list[Bundle]) -> bool:
        """Whether reading on would give old bundles only: the newest come first, and an old one is there."""
        return self.order == "desc" and any(not self._is_new(bundle) for bundle in bundles)

    def select(self, bundles: list[Bundle], limit: int) -> tuple[list[Value], dict[str, Value]]:
        """The oldest new bundles, at most `limit`, and the data for the next run."""
        new = sorted((bundle for bundle in bundles if self._is_new(bundle)), key=cmp_to_key(self._compare))[:limit]
        return [bundle.output for bundle in new], self._data(new)

    def _is_new(self, bundle: Bundle) -> bool:
        if self.type == "id":
            return is_missing(self.last_id) or _less(self.last_id, bundle.id)
        if is_missing(self.last_date):
            return True
        date, last = self._date(bundle.date), self._date(self.last_date)
        return date > last or (date == last and to_text(bundle.id) not in self.same_date_ids)

    def _compare(self, first: Bundle, second: Bundle) -> int:
        if self.type == "date":
            one, other = self._date(first.date), self._date(second.date)
            if one != other:
                return 1 if one > other else -1
        return int(_less(second.id, first.id)) - int(_less(first.id, second.id))

    def _date(self, value: Value) -> datetime:
        try:
            return value if isinstance(value, datetime) else guess_moment(to_text(value), self.run.context().zone())
        except ImlError as error:
            raise AppError(f"The date of a bundle: {error.message}", self.block.file, self.block.pointer) from None

    def _data(self, new: list[Bundle]) -> dict[str, Value]:
        if not new:
            return dict(self.run.variables["data"])
        newest = new[-1]
        if self.type == "id":
            return {"lastId": newest.id}
        date = self._date(newest.date)
        same = [to_text(bundle.id) for bundle in new if self._date(bundle.date) == date]
        kept = self.same_date_ids if not is_missing(self.last_date) and self._date(self.last_date) == date else ()
        return {"lastId": newest.id, "lastDate": date, "sameDateIds": [*kept, *same]}


def _less(first: Value, second: Value) -> bool:
    return bool(operators.apply("<", first, second))


def read(run: Run, requests: tuple[Request, ...]) -> Trigger:
    """The trigger of the last request, with the data of the last run.

    :raises AppError: for a trigger that lacks what it goes by
    """
    block = requests[-1].response.get("trigger") if requests else None
    if block is None:
        raise requests[-1].block.error("A trigger needs `response.trigger`.")
    members = block.members()
    for name in ("type", "order", "id"):
        if name not in members:
            raise block.error(f"`response.trigger` lacks {name!r}.")
    type_, order = run.evaluate(members["type"]), run.evaluate(members["order"])
    if type_ not in ("id", "date") or order not in ("asc", "desc", "unordered"):
        raise block.error("A trigger goes by id or date, in the order asc, desc or unordered.")
    if type_ == "date" and "date" not in members:
        raise block.error("`response.trigger` lacks 'date'.")
    data = run.variables["data"]
    same = tuple(to_text(one) for one in data.get("sameDateIds") or ())
    return Trigger(type_, order, block, run, data.get("lastId"), data.get("lastDate"), same)
