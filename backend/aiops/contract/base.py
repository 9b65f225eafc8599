"""What all generated models have in common."""

from typing import Any

from pydantic import BaseModel, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


class ContractModel(BaseModel):
    """A field that may be left out is None then. That is not null, which the document allows only where it says so."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name or ""]
        if value is None and not field.is_required() and field.default is None:
            raise PydanticCustomError("null", "Input should not be null; leave the field out")
        return value
