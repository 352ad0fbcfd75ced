"""``watchbot dead-letter`` in a terminal."""

from __future__ import annotations

from tests.acceptance.letters import log, put, received
from tests.acceptance.operated import Operated
from tests.acceptance.terminal import Terminal


def _triage(operated: Operated, service: str = "plain") -> Terminal:
    return Terminal(operated.command("dead-letter", service=service), operated.environment())


def _agrees(terminal: Terminal, operated: Operated) -> None:
    """Agree to a letter's deletion, of which the question says which it is and where."""
    asked = terminal.answers("[y/N]:", "y")
    assert "Delete dead letter m-" in asked
    assert f"of Operated/plain of stack {operated.name} in us-east-1 of account 000000000000, permanently?" in asked


def test_each_letter_is_returned_left_or_deleted_as_the_person_says(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "one", "two", "three", "four", reason="exit code 7")
    answers = {"one": "r", "two": "l", "three": "d", "four": "q"}
    with _triage(operated) as terminal:
        terminal.shows("has about 4 dead letters")
        terminal.answers("What next?", "t")
        terminal.shows("1 of about 4")
        order: list[str] = []
        while not order or answers[order[-1]] != "q":
            shown = terminal.shows("What next?")
            (body,) = (word for word in answers if f"\r\n{word}\r\n" in shown)
            for part in ("exit code 7", "received       3 times"):
                assert part in shown
            order.append(body)
            terminal.types(answers[body])
            if answers[body] == "d":
                _agrees(terminal, operated)
        exit_code, rest = terminal.ends()
    assert exit_code == 0
    taken = {answers[body] for body in order}
    assert f"{int('r' in taken)} returned, {int('d' in taken)} deleted, {int('l' in taken)} left" in rest
    left = {body for body in answers if body not in order or answers[body] in "lq"}
    assert operated.counts(plain.dead_letter_queue_url) == (len(left), 0)
    assert {one["Body"] for one in received(operated.sqs, plain.dead_letter_queue_url)} == left
    assert [one["Body"] for one in received(operated.sqs, plain.queue_url)] == (["one"] if "one" in order else [])


def test_logs_of_a_letter_are_shown_before_it_is_decided(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "one")
    log(
        operated.emulator,
        plain,
        {"watchbot/watcher/1": ["[Fri, 09 Feb 2018 21:57:55 GMT] [watcher] [m-0] job.finished {}"]},
    )
    with _triage(operated) as terminal:
        terminal.answers("What next?", "t")
        terminal.answers("What next?", "v")
        terminal.shows("[m-0] job.finished")
        terminal.answers("What next?", "d")
        _agrees(terminal, operated)
        exit_code, rest = terminal.ends()
    assert (exit_code, "0 returned, 1 deleted, 0 left" in rest) == (0, True)


def test_a_log_that_cannot_be_read_is_said_and_the_letter_decided_all_the_same(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "one")
    operated.emulator.client("logs").delete_log_group(logGroupName=plain.log_group)
    with _triage(operated) as terminal:
        terminal.answers("What next?", "t")
        terminal.answers("What next?", "v")
        terminal.shows("the log cannot be read: AWS refuses FilterLogEvents")
        terminal.answers("What next?", "d")
        _agrees(terminal, operated)
        exit_code, rest = terminal.ends()
    assert (exit_code, "0 returned, 1 deleted, 0 left" in rest) == (0, True)


def test_what_was_done_is_told_when_it_ends_early(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "one", "two")
    with _triage(operated) as terminal:
        terminal.answers("What next?", "t")
        terminal.answers("What next?", "d")
        _agrees(terminal, operated)
        terminal.shows("What next?")
        operated.sqs.delete_queue(QueueUrl=plain.queue_url)
        terminal.types("r")
        exit_code, rest = terminal.ends()
    assert (exit_code, "0 returned, 1 deleted, 0 left" in rest) == (1, True)
    assert "Traceback" not in rest
    assert operated.counts(plain.dead_letter_queue_url) == (1, 0)


def test_ctrl_c_gives_back_what_was_looked_at(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(15)))
    with _triage(operated) as terminal:
        terminal.answers("What next?", "t")
        terminal.answers("What next?", "l")
        terminal.interrupts("What next?")
        exit_code, rest = terminal.ends()
    assert (exit_code, "watchbot: interrupted" in rest, "Traceback" in rest) == (1, True, False)
    assert "0 returned, 0 deleted, 1 left" in rest
    assert operated.counts(plain.dead_letter_queue_url) == (15, 0)


def test_everything_is_returned_or_purged_once_the_person_agrees(operated: Operated) -> None:
    plain = operated.services["plain"]
    for choice, question in (("r", "Return all dead letters, about 3,"), ("g", "Delete all dead letters, about 3,")):
        for agreed in ("n", "y"):
            if agreed == "n":
                put(operated.sqs, plain, "a", "b", "c")
            with _triage(operated) as terminal:
                terminal.answers("What next?", choice)
                terminal.shows(question)
                terminal.answers("[y/N]:", agreed)
                exit_code, _ = terminal.ends()
            assert exit_code == (1 if agreed == "n" else 0)
            assert operated.counts(plain.dead_letter_queue_url) == ((3, 0) if agreed == "n" else (0, 0))
    assert operated.counts(plain.queue_url) == (3, 0)


def test_a_letter_whose_deletion_is_refused_is_asked_about_again_and_q_quits_every_menu(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, "one")
    with _triage(operated) as terminal:
        terminal.answers("What next?", "t")
        terminal.answers("What next?", "d")
        terminal.answers("[y/N]:", "n")
        terminal.answers("What next?", "q")
        exit_code, rest = terminal.ends()
    assert (exit_code, "0 returned, 0 deleted, 0 left" in rest) == (0, True)
    with _triage(operated) as terminal:
        terminal.answers("What next?", "q")
        assert terminal.ends()[0] == 0
    assert operated.counts(plain.dead_letter_queue_url) == (1, 0)


def test_everything_is_printed_and_hidden_from_nobody(operated: Operated) -> None:
    plain = operated.services["plain"]
    put(operated.sqs, plain, *map(str, range(15)))
    with _triage(operated) as terminal:
        terminal.answers("What next?", "p")
        exit_code, shown = terminal.ends()
    assert (exit_code, shown.count('"message_id"')) == (0, 15)
    assert operated.counts(plain.dead_letter_queue_url) == (15, 0)


def test_refuses_to_ask_where_there_is_no_terminal(operated: Operated) -> None:
    ran = operated.run("dead-letter")
    assert ran.returncode == 2
    assert "nobody can be asked here" in ran.stderr


def test_refuses_to_ask_in_json(operated: Operated) -> None:
    ran = operated.run("dead-letter", "--json")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "triage asks questions, and prints no JSON: use dead-letter list --json" in ran.stderr
