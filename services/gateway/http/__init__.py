"""The HTTP front: people and programs. Translates, checks identity and rights, and calls; decides nothing about documents."""
