"""What the products' parts of the API share with the engine's.

A product's `api` module has `routers` by the prefixes that they stand under; it is found by itself.
"""

from jobs.api.authentication import ApiRequest, needs, of_the_site
from jobs.api.filters import Paged
from jobs.api.paging import Order, page
from jobs.api.parsing import Body, Moment, Query
from jobs.api.problems import Problem
from jobs.api.submissions import tenant_of
from jobs.domain.access import Scope
from jobs.selectors.tenants import visible

__all__ = [
    "ApiRequest",
    "Body",
    "Moment",
    "Order",
    "Paged",
    "Problem",
    "Query",
    "Scope",
    "needs",
    "of_the_site",
    "page",
    "tenant_of",
    "visible",
]
