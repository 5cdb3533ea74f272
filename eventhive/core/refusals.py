"""Why a gateway refuses a session: the reasons of the wire, and what a person should know about each."""

REFUSE_VERSION = 1
REFUSE_KEY = 2
REFUSE_UNKEYED = 3
REFUSE_BUSY = 4
REFUSE_ATTEMPT = 5


def refusal_text(reason: int) -> str:
    """What a person should know about a `REFUSE_` reason."""
    # In the function, so that a board leaves them in its file of texts.
    texts = {
        REFUSE_VERSION: "it speaks no common version of the link: update the older end",
        REFUSE_KEY: "unknown id, or wrong key: compare this id and key with the gateway's key file",
        REFUSE_UNKEYED: "it takes no device without a key here: enrol this one with 'eventhive device add'",
        REFUSE_BUSY: "it has too many connections: it will be tried again",
        REFUSE_ATTEMPT: "this boot count was used before: a second board with this id, or a restored file system",
    }
    return texts.get(reason, "reason %d, which this version does not know" % reason)
