"""The composition root: the only place that wires the rooms together, and the life of the process."""

from router.app.process import serve
from router.app.router import Router

__all__ = ["Router", "serve"]
