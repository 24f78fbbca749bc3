from billing.pricing.charge_models import MODELS


def test_every_model_is_registered_under_its_name() -> None:
    assert list(MODELS) == [
        "flat",
        "per_unit",
        "graduated",
        "volume",
        "package",
        "stairstep",
        "percentage",
        "graduated_percentage",
    ]
    assert [name for name, model in MODELS.items() if model.prices_events] == ["percentage", "graduated_percentage"]
