"""The timeline as a Perfetto trace and as a picture, and the roofline."""

import json

import accelsim as acs

result = acs.simulate("resnet8", "eyeriss")
result.write_trace("resnet8.json")
with open("resnet8.json", encoding="utf-8") as file:
    events = json.load(file)["traceEvents"]
print(sum(event["ph"] == "X" for event in events), "spans")
result.plot_timeline().figure.savefig("timeline.png")
result.plot_roofline().figure.savefig("roofline.png")
print(result.resources()[["resource", "utilisation"]].round(3).to_string(index=False))
