"""accelsim: accelerators in YAML, workloads as layer graphs, one event kernel.

The public names are imported on first use, so that ``import accelsim`` stays cheap.
"""

from importlib import import_module
from typing import Any

from accelsim._version import __version__

_PUBLIC = {
    "AccelsimError": "accelsim.errors",
    "simulate": "accelsim.api",
    "compile": "accelsim.api",
    "compile_dataflow": "accelsim.api",
    "HardwarePoint": "accelsim.mapping.asic.compiled_dataflow",
    "load_architecture": "accelsim.api",
    "load_workload": "accelsim.api",
    "load_dataflow": "accelsim.api",
    "load_mapping": "accelsim.api",
    "load_calibration": "accelsim.api",
    "validate": "accelsim.validation",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'accelsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
