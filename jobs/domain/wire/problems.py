"""What is answered when something cannot be done."""

from pydantic import BaseModel, Field


class WrongField(BaseModel):
    """A field that cannot be as it was given."""

    path: str = Field(
        description="Where it is, such as `params.period.start`; empty: the whole of it."
    )
    message: str = Field(description="What is wrong with it, and what would be right.")


class ProblemDetails(BaseModel):
    """An error, as RFC 9457 has it."""

    type: str = Field(description="`urn:jobsite:problem:` and the code.")
    title: str = Field(description="What the status means.")
    status: int
    detail: str = Field(description="What was wrong this time, and what to do.")
    code: str = Field(description="Which kind of error it is; it stays the same across versions.")
    errors: list[WrongField] = Field(default=[], description="Each field that was wrong.")
    request_id: str = Field(default="", description="What the site's log knows the request by.")
