"""What a run answers: figures with units, tables, plots and traces."""

from accelsim.results.result import OperatorResult, ResourceResult, Result

__all__ = ["OperatorResult", "ResourceResult", "Result"]
