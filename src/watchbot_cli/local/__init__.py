"""``watchbot local``: an app's services on this machine.

Data flows one way: the app is synthesised (:mod:`watchbot_cli.assembly`), its Watchbots are found in the template
(:mod:`service`), an AWS is started (:mod:`emulator`) and given their queues (:mod:`data_plane`), real watchers run on
them (:mod:`watcher_process`), and what they log is counted (:mod:`tally`).
"""

from __future__ import annotations
