"""Published numbers as data, and the runner that compares them with simulated ones."""

from accelsim.validation.runner import Validation, validate

__all__ = ["Validation", "validate"]
