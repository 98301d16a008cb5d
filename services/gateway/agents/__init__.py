"""The process gateway.agents: enrols edge agents, and passes their frames to the signer as their actor."""
