"""The watch: the pure core that decides what people are told."""

from gateway.domain.watch.engine import Watch

__all__ = ["Watch"]
