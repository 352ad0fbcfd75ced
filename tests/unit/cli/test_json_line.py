from __future__ import annotations

import json
import math

from watchbot_cli.output import json_line


def test_a_number_that_json_lacks_is_null() -> None:
    line = json_line({"a": math.nan, "b": [math.inf, {"c": (-math.inf, 1.5)}], "half": "\ud83d"}, "utf-8")
    assert "NaN" not in line
    assert "Infinity" not in line
    assert json.loads(line) == {"a": None, "b": [None, {"c": [None, 1.5]}], "half": "\ud83d"}
