"""A package of n8n's: a node for the operations, one for the triggers, and what they connect with."""
