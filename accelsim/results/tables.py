"""A result as pandas tables; pandas is imported only here."""

from typing import TYPE_CHECKING

from accelsim.results.result import ResourceResult, Result

if TYPE_CHECKING:
    from pandas import DataFrame


def operator_frame(result: Result) -> "DataFrame":
    """One row per operator, in program order."""
    import pandas as pd

    memories = list(dict.fromkeys(m for o in result.operators for m in o.bytes))
    rows = [
        {
            "operator": o.name,
            "type": o.type,
            "macs": o.macs,
            "parameters": o.parameters,
            "cycles": o.cycles,
            "start_s": o.start_s,
            "end_s": o.end_s,
            "latency_s": o.latency_s,
            "utilisation": o.utilisation,
            "bound_by": o.bound_by,
            "energy_J": o.energy_J,
            "closed_form_s": o.closed_form_s,
            **{f"bytes_{m}": o.bytes.get(m, 0) for m in memories},
            "fused_into": o.fused_into,
            "mapping": o.mapping,
            "certificate": o.certificate,
            "unit": o.unit,
            "planned_start_s": o.planned_start_s,
            "planned_end_s": o.planned_end_s,
        }
        for o in result.operators
    ]
    # Cycles stay whole numbers although some operators have none.
    return pd.DataFrame(rows).astype({"cycles": "Int64"})


def resource_frame(result: Result) -> "DataFrame":
    """One row per resource."""
    import pandas as pd

    names = list(ResourceResult.__slots__)
    rows = [[getattr(r, name) for name in names] for r in result.resource_results]
    frame = pd.DataFrame(rows, columns=["resource", *names[1:]])
    # Counts stay whole numbers although some resources have none.
    return frame.astype(
        {"servers": "Int64", "bytes": "Int64"}
        | dict.fromkeys(("busy_s", "utilisation", "energy_J"), "float64")
    )


def bottleneck_frame(result: Result) -> "DataFrame":
    """Critical time per activity, largest first."""
    import pandas as pd

    total = sum(result.critical_s.values())
    rows = [
        {"activity": activity, "critical_s": seconds, "share": seconds / total if total else 0.0}
        for activity, seconds in sorted(result.critical_s.items(), key=lambda item: -item[1])
        if seconds > 0
    ]
    return pd.DataFrame(rows, columns=["activity", "critical_s", "share"])
