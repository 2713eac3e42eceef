"""A result as pandas tables; pandas is imported only here."""

from typing import TYPE_CHECKING

from accelsim.results.result import Result

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
            "latency_s": o.latency_s,
            "utilisation": o.utilisation,
            "bound_by": o.bound_by,
            "energy_J": o.energy_J,
            "closed_form_s": o.closed_form_s,
            **{f"bytes_{m}": o.bytes.get(m, 0) for m in memories},
            "fused_into": o.fused_into,
            "mapping": o.mapping,
        }
        for o in result.operators
    ]
    return pd.DataFrame(rows)


def resource_frame(result: Result) -> "DataFrame":
    """One row per resource."""
    import pandas as pd

    return pd.DataFrame(
        [{name: getattr(r, name) for name in r.__slots__} for r in result.resource_results]
    ).rename(columns={"name": "resource"})


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
