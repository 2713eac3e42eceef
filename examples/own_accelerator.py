"""A chip of one's own in twenty lines, and what a larger buffer buys: less traffic, but no time here, where
the array is always busy.
"""

from pathlib import Path

import accelsim as acs

Path("mychip.yaml").write_text(
    """
kind: architecture
name: mychip
source: an example
mapping: asic
defaults: {precision: int8, accumulator: int32, batch: 1}
components:
  dram: {class: dram, size: 1 GiB, bandwidth: 8 GB/s, latency: 80 ns}
  buffer: {class: sram, size: 128 KiB}
  noc: {class: link, bandwidth: 64 GB/s, separate_directions: true}
  pe: {class: pe_array, rows: 16, columns: 16, clock: 500 MHz, dataflow: os}
  registers: {class: register_file, per: pe, size: 64 B}
""",
    encoding="utf-8",
)
for size in ("32 KiB", "128 KiB", "512 KiB"):
    result = acs.simulate("resnet18", "mychip.yaml", settings={"components.buffer.size": size})
    dram = sum(o.bytes.get("dram", 0) for o in result.operators)
    worst = result.bottlenecks().iloc[0]
    print(
        f"{size:>7}: {result.latency_s * 1e3:6.2f} ms, {dram / 1e6:6.1f} MB of DRAM traffic,"
        f" {worst.share:.0%} {worst.activity}"
    )
try:
    acs.simulate("resnet18", "mychip.yaml", settings={"components.buffer.size": "1 KiB"})
except acs.AccelsimError as error:
    print(error.problems[0])
