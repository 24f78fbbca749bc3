"""Which tax a line bears: places, registrations, checked VAT ids, dated rates, and the words that the law wants printed."""
