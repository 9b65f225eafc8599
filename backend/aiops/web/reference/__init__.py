"""The API reference: one page that a newcomer follows from top to bottom, rendered from the document and the plans."""
