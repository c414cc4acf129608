"""A refusal inside the state machine: it becomes the answer."""

from __future__ import annotations

from typing import Any, TypeVar

from mathmesh.service import messages as wire

R = TypeVar("R", bound=wire.Response)


class Refusal(Exception):
    """Status, StatusExtended and StatusDescription of an answer; `members` are further members of it."""

    def __init__(self, status: int, extended: int | None, text: str, **members: Any) -> None:
        super().__init__(text)
        self.status = status
        self.extended = extended
        self.text = text
        self.members = members

    def response(self, kind: type[R]) -> R:
        """The refusal as an answer of the type that the operation has."""
        return kind(
            status=self.status, status_extended=self.extended, status_description=self.text, **self.members
        )
