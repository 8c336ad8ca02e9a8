"""What every script here says of each of its checks, and what it asks of results."""


class Checks:
    """One line for each; `failed` says whether one did not hold."""

    def __init__(self, who=""):
        self.front = f"{who}: " if who else ""
        self.failed = False

    async def check(self, name, run):
        try:
            await run()
            print(f"ok {self.front}{name}", flush=True)
        except Exception as error:  # each check reports its own failure
            self.failed = True
            why = f"{type(error).__name__} {error}".replace("\n", " ")
            print(f"not ok {self.front}{name}: {why}", flush=True)


def need(condition, why):
    if not condition:
        raise AssertionError(why)


def text_of(result):
    return "\n".join(block.text for block in result.content if block.type == "text")
