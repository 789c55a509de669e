"""Runs stories for another process: a JSON request on standard input, a sheet on standard output.

``against`` starts it with the code of another commit.
"""

import sys

import msgspec

from gateway.evaluation import plan
from gateway.evaluation.plan import StoryName


class StoryRequest(msgspec.Struct):
    """Which stories to run, in how many processes."""

    stories: list[StoryName]
    jobs: int


def main() -> None:
    """Read the request, run its stories, write the sheet."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=StoryRequest)
    sheet = plan.run(request.stories, request.jobs)
    sys.stdout.buffer.write(msgspec.json.encode(sheet))


if __name__ == "__main__":
    main()
