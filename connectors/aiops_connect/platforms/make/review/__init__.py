"""Make's rules for the review of apps, as far as a program can check them.

Sources: the prerequisites, the best practices and the request for an app review in Make's developer documentation.
"""

from aiops_connect.platforms.make.review.rules import RULES, Finding, review
from aiops_connect.platforms.make.review.source import read_source

__all__ = ["RULES", "Finding", "read_source", "review"]
