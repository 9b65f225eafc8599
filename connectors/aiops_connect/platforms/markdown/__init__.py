"""A sheet of the operations for people to review: what a connector asks for, sends and answers."""
