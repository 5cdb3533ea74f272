"""Events inside one program: nothing is configured, nothing leaves the process."""

import asyncio

import eventhive

# Declared with a text that tells others what it is for; hooking an event declares it, too.
eventhive.append("bee/stuff", help="Everything a bee does, in the order it was hooked.")


@eventhive.hook("bee/stuff")
def collect(flower):
    print("collecting nectar from", flower)
    return "nectar"


@eventhive.hook("bee/stuff")
async def fan(flower):
    # A coroutine is a hook like any other: the call waits for what it returns.
    await asyncio.sleep(0.01)
    return "honey"


@eventhive.hook("bee/*")
def watch(flower):
    print("somebody called", eventhive.get_event_name())


# A call gives what each hook returned.
results = eventhive.EVENTS.call("bee/stuff", "clover")
print({function.__name__: result for function, result in results["bee/stuff"].items()})

# A glob calls all that match; the same as above here, as there is only one.
print("called:", list(eventhive.EVENTS.call("bee/*", "heather")))

# In a waterfall, each hook gets what the one before has returned.
eventhive.WATERFALL.append("honey")
eventhive.WATERFALL.hook(lambda grams: grams * 0.2, "honey")
eventhive.WATERFALL.hook(lambda grams: f"{grams:g} g of honey", "honey")
print(eventhive.WATERFALL.call("honey", 50)["honey"])
