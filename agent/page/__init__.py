"""The local page: what the agent does, and where its holder types the PIN and confirms."""
