"""Four dataflows on the same array and the same network: time, energy, and what holds each of them up."""

import accelsim as acs

print(f"{'':<14}{'dataflow':<10}{'time':>10}{'energy':>10}  held up by")
for workload in ("resnet18", "mobilenet-v2"):
    for dataflow in ("ws", "os", "is", "rs"):
        result = acs.simulate(workload, "pe-array", dataflow=dataflow)
        worst = result.bottlenecks().iloc[0]
        print(
            f"{workload:<14}{dataflow:<10}{result.latency_s * 1e3:>7.2f} ms{result.energy_J * 1e3:>7.1f} mJ"
            f"  {worst.activity} {worst.share:.0%}"
        )
