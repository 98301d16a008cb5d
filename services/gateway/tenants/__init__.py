"""Who there is: tenants, enterprises, users, mandates, strategies, and the trail of what they did."""
