"""Ways to the exchange platform and back. Each knows one medium and nothing of tenants, tables or business."""
