import pytest

from billing.tax.vat_ids import VatIdError, check


@pytest.mark.parametrize(
    ("country", "text", "number"),
    [
        ("DE", "DE 136 695 976", "DE136695976"),
        ("AT", "ATU 57194903", "ATU57194903"),
        ("FR", "fr 61 954 506 077", "FR61954506077"),
        ("MC", "FR 61 954 506 077", "FR61954506077"),
        ("GR", "EL 094259216", "EL094259216"),
        ("GR", "GR 094259216", "EL094259216"),
        ("BE", "BE 0697.449.992", "BE0697449992"),
        ("NL", "NL4495445B01", "NL004495445B01"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("GB", "XI 980 7806 84", "XI980780684"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("NO", "NO 995 525 828 MVA", "NO995525828MVA"),
        ("US", "12-3456789", "123456789"),
        ("", "anything", "ANYTHING"),
        ("DE", "", ""),
    ],
)
def test_id_is_written_without_spaces(country: str, text: str, number: str) -> None:
    assert check(country, text) == number


@pytest.mark.parametrize(
    ("country", "text", "words"),
    [
        ("DE", "DE136695977", "The check digits of DE136695977 do not match: look for a typing mistake."),
        ("DE", "DE13669597", "DE13669597 has too few or too many characters for a VAT id of DE."),
        ("DE", "FR61954506077", "A VAT id of DE begins with DE: write all of it, as on the certificate."),
        ("DE", "136695976", "A VAT id of DE begins with DE: write all of it, as on the certificate."),
        ("GR", "094259216", "A VAT id of GR begins with EL: write all of it, as on the certificate."),
        ("GB", "DE136695976", "A VAT id of GB begins with GB: write all of it, as on the certificate."),
        ("NO", "NO995525828", "NO995525828 is not written as VAT ids of NO are."),
        ("CH", "CHE107787577", "CHE107787577 has too few or too many characters for a VAT id of CH."),
    ],
)
def test_id_that_cannot_be_is_refused_for_a_person(country: str, text: str, words: str) -> None:
    with pytest.raises(VatIdError) as refused:
        check(country, text)
    assert str(refused.value) == words
