"""The tariffs of the cookbook are catalogue files: each can be applied as it stands."""

from datetime import UTC, datetime

import pytest

from billing.catalog.apply import apply_catalog
from billing.catalog.document import read_catalog
from billing.catalog.specs import plan_spec
from billing.models import PlanVersion
from squill.lib.actor import system
from tests.billing.pricing.cookbook import Example
from tests.billing.pricing.test_tariffs_doc import TARIFF_CHAPTER, in_chapter, name, written


@pytest.mark.django_db
@pytest.mark.parametrize("example", in_chapter(TARIFF_CHAPTER), ids=name)
def test_each_is_sold_as_it_is_written(example: Example) -> None:
    spec = read_catalog(written(example.block))
    changes = apply_catalog(spec=spec, actor=system("tests"), now=datetime(2026, 1, 1, tzinfo=UTC))
    assert {change.kind for change in changes} == {"created"}
    assert [plan_spec(version) for version in PlanVersion.objects.filter(status="published")] == list(spec.plans)
