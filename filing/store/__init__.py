"""SQL of services with documents, and only here. Every function runs inside the caller's transaction and tenant."""
