"""The commands as they are typed: options and help. What a command does is imported when it is run.

Loading boto3 takes longer than help may take to print, so that nothing here loads it.
"""

from __future__ import annotations
