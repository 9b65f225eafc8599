"""What administrators change and look at, on pages and on the command line."""
