"""``watchbot logs``: what a service's containers wrote.

A :class:`~watchbot_cli.logs.log.Log` reads, a :class:`~watchbot_cli.logs.wanted.Wanted` says what, a
:class:`~watchbot_cli.logs.news.News` puts several of them in order and gives no line twice, and
:mod:`~watchbot_cli.logs.printing` shows it.
"""
