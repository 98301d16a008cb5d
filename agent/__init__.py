"""The edge agent: holds an enterprise's cards on its own PC and signs what the service asks for. Imports only proto."""

VERSION = "0.1.0"
