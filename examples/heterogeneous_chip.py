"""Two networks at once on two different sub-accelerators: who runs what, planned and with contention."""

import tempfile
from pathlib import Path

import accelsim as acs

CHIP = """
kind: architecture
name: pair
mapping: asic
parts:
  wide: {architecture: pe-array, dataflow: dla, pes: 576, bandwidth: 56 GB/s, registers: 512 B}
  deep: {architecture: pe-array, dataflow: shi, pes: 256, bandwidth: 8 GB/s, registers: 512 B}
"""
NETWORKS = "kind: workload\nname: both\nnetworks: [resnet9, ds-cnn-kws]\n"

with tempfile.TemporaryDirectory() as folder:
    chip, both = Path(folder, "pair.yaml"), Path(folder, "both.yaml")
    chip.write_text(CHIP)
    both.write_text(NETWORKS)
    result = acs.simulate(both, chip)
    result.plot_gantt().figure.savefig(Path(folder, "gantt.png"), dpi=110)

print(f"planned {result.closed_form_s * 1e3:.2f} ms, with contention {result.latency_s * 1e3:.2f} ms")
frame = result.to_frame().dropna(subset=["unit"])
for unit, rows in frame.groupby("unit"):
    busy = rows["latency_s"].sum() / result.latency_s
    print(f"{unit}: {len(rows)} layers, busy {busy:.0%} of the time")
columns = ["operator", "unit", "planned_start_s", "start_s", "bound_by"]
print(frame.sort_values("start_s")[columns].head(6).to_string(index=False))
