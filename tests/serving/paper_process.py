"""The paper service as a process: ``python -m tests.serving.paper_process PORT [SECONDS]``."""

from __future__ import annotations

import sys

from fraudops.serving.logs import configure
from fraudops.serving.server import run

from tests.serving.paper import PaperDesk, make_service

if __name__ == "__main__":
    configure()
    desk = PaperDesk(seconds=float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
    run(make_service(scorer=desk), host="127.0.0.1", port=int(sys.argv[1]), leave=0.7)
