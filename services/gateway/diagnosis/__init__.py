"""Self-diagnosis: why a document is where it is, in checks that each say what to do. Source: guide 003, FAQ."""
