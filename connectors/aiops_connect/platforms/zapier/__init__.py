"""Apps for Zapier's Platform CLI, version 19."""
