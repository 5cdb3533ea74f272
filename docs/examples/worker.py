"""A worker: what it hooks, everybody in the network my-beehive can call."""

import os

import eventhive

eventhive.CONFIG.read_file("worker.yaml")


@eventhive.hook("worker-bee/work")
def work(data):
    print(f"worker {os.getpid()}: working on {data}", flush=True)


@eventhive.hook("worker-bee/work-hard")
def work_hard(data):
    print(f"worker {os.getpid()}: working hard on {data}", flush=True)


@eventhive.hook("worker-bee/count")
async def count(data):
    # What a hook returns goes back to whoever asked for it, with eventhive.request.
    return {"letters": len(data["word"])}


eventhive.init()
print("waiting for work", flush=True)
eventhive.run_forever()
