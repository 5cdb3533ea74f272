"""A boss, who hosts the network: calls all workers, and asks one of them."""

import time

import eventhive

eventhive.CONFIG.read_file("boss.yaml")
# What a glob is to call must be declared here, because nobody here hooks it.
eventhive.append(["my-beehive/worker-bee/work", "my-beehive/worker-bee/work-hard"])
eventhive.init()

while True:
    try:
        answer = eventhive.request("my-beehive/worker-bee/count", {"word": "beehive"}, timeout=2)
        break
    except eventhive.RequestError as error:
        print("not yet:", error, flush=True)
        time.sleep(1)
print("a worker counted", answer["letters"], "letters", flush=True)

# Both events, at every worker. A call is sent and forgotten; it gives the networks that it was sent on.
called = eventhive.EVENTS.call("my-beehive/worker-bee/work*", {"flower": "clover"})
print("called", ", ".join(called), flush=True)
eventhive.stop()
