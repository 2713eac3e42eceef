"""Base of every schema class: frozen, unknown fields refused, problems that name the field they are about."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from accelsim.spec.tree import Document, Step


class Rejected(ValueError):
    """Raised in a validator to report several problems at once, each with the path of the field it is about.

    Parameters
    ----------
    problems : (path below the validated value, rest of a sentence)
    """

    def __init__(self, problems: Iterable[tuple[tuple[Step, ...], str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "; ".join(f"{'.'.join(map(str, path))} {text}".strip() for path, text in self.problems)
        )


class Spec(BaseModel):
    """A frozen record read from YAML; the text below a field documents it, in the JSON Schema too."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _booleans_are_not_numbers(cls, data: Any) -> Any:
        # As text, true still is a boolean field's true, but no number field takes it for 1.
        if isinstance(data, dict):
            return {k: str(v).lower() if isinstance(v, bool) else v for k, v in data.items()}
        return data


class FileSpec(Spec):
    """A record that is a whole YAML document and remembers where each of its fields was written."""

    _document: Document | None = None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash(self._fields())

    def _fields(self) -> tuple[Any, ...]:
        """Its content, without the place it was read from."""
        return tuple(getattr(self, name) for name in type(self).model_fields)

    @property
    def path(self) -> str | None:
        """The file it was read from, None if it was built in Python."""
        return self._document.file if self._document else None

    def where(self, *path: Step) -> str:
        """``file:line: a.b.c`` for sentences about a field; only the path if it was built in Python."""
        if self._document is None:
            return ".".join(map(str, path))
        return self._document.where(path)
