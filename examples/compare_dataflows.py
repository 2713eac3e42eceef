"""Which dataflow suits which network, on the same array?"""

import accelsim as acs

print(f"{'':<14}" + "".join(f"{d:>12}" for d in ("ws", "os", "is")))
for workload in ("resnet18", "mobilenet-v2", "vit-b16"):
    times = [acs.simulate(workload, "systolic-16x16", dataflow=d).latency_s for d in ("ws", "os", "is")]
    print(f"{workload:<14}" + "".join(f"{t * 1e3:>9.2f} ms" for t in times))
