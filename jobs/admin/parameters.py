"""Forms that ask for a job type's parameters beside what they ask for themselves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from django import forms

from jobs.admin.json_fields import JsonObjectField
from jobs.admin.parameter_fields import Parameter, parameters_of
from jobs.admin.parameter_schema import in_words, schema_of
from jobs.domain.errors import InvalidParameters, JobsError
from jobs.domain.registry import registry
from jobs.services.building import plain_params

if TYPE_CHECKING:
    _Form = forms.BaseForm
else:
    _Form = object

#: Before the names of the model's fields: they may be those of the form's own, too.
PREFIX: Final = "params."
#: The one field for all the parameters, as a JSON object.
WHOLE: Final = "parameters"


class AsksForParameters(_Form):
    """A form of one job type; `asking_for` makes its class.

    Once it is valid, `cleaned_data["params"]` holds the parameters in plain.
    """

    type_name: ClassVar[str]
    #: By the names of the model's fields; None: as one JSON object.
    asked: ClassVar[Mapping[str, Parameter] | None]

    @classmethod
    def fieldset(cls) -> tuple[str, Any]:
        """Return the part of the form that asks for the parameters, as the admin shows it."""
        names = [WHOLE] if cls.asked is None else [PREFIX + name for name in cls.asked]
        return "Parameters", {"fields": names, "description": "" if names else "It takes none."}

    def clean(self) -> dict[str, Any]:
        """Check the parameters against the job type, and fill their defaults in."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if WHOLE in self.errors:
            return cleaned
        try:
            cleaned["params"] = plain_params(registry.get(self.type_name), self._given(cleaned))
        except InvalidParameters as error:
            self._tell(error)
        except JobsError as error:
            self.add_error(None, str(error))
        return cleaned

    def _given(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        if self.asked is None:
            return dict(cleaned[WHOLE])
        given = {name: cleaned.get(PREFIX + name) for name in self.asked}
        return {
            name: value
            for name, value in given.items()
            if value is not None or self.asked[name].empty_is_none
        }

    def _tell(self, error: InvalidParameters) -> None:
        """Put each problem on its field, unless that field has one of its own already."""
        names = {each.alias: name for name, each in (self.asked or {}).items()}
        told = set(self.errors)
        for path, message in error.problems:
            first, _, rest = path.partition(".")
            field = PREFIX + names.get(first, first)
            if field in told:
                continue
            if field in self.fields:
                self.add_error(field, f"{rest}: {message}" if rest else message)
            else:
                whole = WHOLE if WHOLE in self.fields else None
                self.add_error(whole, f"{path}: {message}" if path else message)


_Asking = TypeVar("_Asking", bound=AsksForParameters)


def asking_for(
    type_name: str,
    form: type[_Asking],
    *,
    stored: Mapping[str, Any] | None = None,
    as_json: bool = False,
) -> type[_Asking]:
    """Return the form with fields for the parameters of a job type.

    Args:
        type_name: if no such type is registered, the parameters are one JSON object.
        form: what asks for the rest.
        stored: parameters to fill in instead of the type's defaults.
        as_json: ask for one JSON object in any case.
    """
    model = registry.get(type_name).params_model if type_name in registry else None
    parameters = parameters_of(model, stored) if model and not as_json else None
    if parameters is None:
        kind = f"JSON: {in_words(schema_of(model))}." if model else ""
        whole = JsonObjectField(required=False, initial=dict(stored or {}), help_text=kind)
        fields: dict[str, forms.Field] = {WHOLE: whole}
    else:
        fields = {PREFIX + name: each.field for name, each in parameters.items()}
    told = {"type_name": type_name, "asked": parameters, **fields}
    make: Any = type(form)  # Django's metaclass, which finds the fields
    return cast(type[_Asking], make(form.__name__, (form,), told))
