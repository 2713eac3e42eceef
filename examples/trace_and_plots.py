"""The timeline as a Perfetto trace, timeline and roofline side by side, and where the time went."""

import json
from pathlib import Path

import matplotlib.pyplot as plt

import accelsim as acs

result = acs.simulate("resnet8", "eyeriss")
result.write_trace("resnet8.json")  # open it at https://ui.perfetto.dev
events = json.loads(Path("resnet8.json").read_text(encoding="utf-8"))["traceEvents"]
for category in ("operator", "task", "jump"):
    print(f"{category} spans: {sum(event.get('cat') == category for event in events)}")

figure, axes = plt.subplots(1, 2, figsize=(16, 5), layout="constrained")
result.plot_timeline(ax=axes[0])
result.plot_roofline(ax=axes[1])
figure.savefig("resnet8.png")

print(result.resources()[["resource", "utilisation"]].dropna().round(3).to_string(index=False))
print(result.bottlenecks().head(3).round(6).to_string(index=False))
