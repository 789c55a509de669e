"""The watch: the pure core that decides what people are told."""

from gateway.domain.watch.watch import Watch

__all__ = ["Watch"]
