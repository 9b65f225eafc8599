"""What `aiops-connect make` can do."""

from aiops_connect.platforms.make.runner.cli import app

__all__ = ["app"]
