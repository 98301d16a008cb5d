"""One file per document type, each read from top to bottom like the official field table."""
