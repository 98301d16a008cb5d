"""The gateway: everything that touches the outside. See README.md."""
