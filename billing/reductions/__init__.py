"""What lowers an invoice besides prices: coupons that customers have, and credits in their favour."""
