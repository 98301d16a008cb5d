"""The order service: export orders and overseas-warehouse bookings."""
