"""Assignment and schedule of layers on several sub-accelerators (HAP): exact if small, else fast."""

from accelsim.mapper.assignment.beam import search
from accelsim.mapper.assignment.exact import Proven, solve
from accelsim.mapper.assignment.problem import Assignment, Goal, Schedule

__all__ = ["Assignment", "Goal", "Proven", "Schedule", "search", "solve"]
