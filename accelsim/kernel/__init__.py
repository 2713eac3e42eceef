"""The event kernel: tasks on resources, run exactly and fast. It knows nothing of hardware.

Importing it is cheap; the compiled engines load when a block is built or run.
"""

from accelsim.kernel.flat import Flat
from accelsim.kernel.program import Program
from accelsim.kernel.resource import Resource
from accelsim.kernel.run import run
from accelsim.kernel.tree import Parallel, Repeat, Serial

__all__ = ["Flat", "Parallel", "Program", "Repeat", "Resource", "Serial", "run"]
