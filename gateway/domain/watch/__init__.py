"""The watch: the pure core that decides which alerts people receive."""

from gateway.domain.watch.engine import Watch

__all__ = ["Watch"]
