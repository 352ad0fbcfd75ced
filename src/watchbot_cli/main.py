"""``watchbot COMMAND …``."""

from __future__ import annotations

import sys

import click

from watchbot import __version__
from watchbot_cli.errors import CommandError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="watchbot")
def cli() -> None:
    r"""Run and look after Watchbot services.

    \b
    Example: run an app's service on this machine, with an AWS of its own
      watchbot local --app "python app.py" --send jobs.jsonl --until-empty
    """


@cli.command()
@click.option("--app", metavar="COMMAND", help="The CDK app; by default what cdk.json in this folder says.")
@click.option("--service", metavar="ID", help="Run only this Watchbot: its construct id or its whole path.")
@click.option("--send", metavar="FILE", help="Publish each line of this file (- for standard input) to the topic.")
@click.option("--until-empty", is_flag=True, help="Stop when the queue has drained, and print a summary.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
def local(app: str | None, service: str | None, send: str | None, until_empty: bool, as_json: bool) -> None:
    r"""Run an app's Watchbots on this machine.

    Synthesises the app, starts an AWS embedded in this machine, creates the queues, topics, tables and buckets of the
    template there, and runs the real watcher with the template's own settings. The worker's command runs as a local
    process, in the folder of its image. Needs no Docker, no AWS account and no network. Secrets are taken from
    environment variables of the same name.

    A line to send is a JSON object with Message and, if wanted, Subject, MessageAttributes, MessageGroupId and
    MessageDeduplicationId; or any text, which then is the message. Messages to a FIFO topic without a group share one.

    Exit code: 0 when nothing was dead-lettered, 1 otherwise, 2 when asked for something that cannot be.

    \b
    Examples:
      watchbot local --app "python app.py"
      watchbot local --app "python app.py" --send jobs.jsonl --until-empty
      seq 100 | watchbot local --service svc --send - --until-empty --json
    """
    # Imported late: boto3 takes longer to load than help may take to print.
    from watchbot_cli.local.run import run

    sys.exit(run(app=app, service=service, send=send, until_empty=until_empty, as_json=as_json))


def main() -> None:
    """Run the command line; whatever is the matter is said in a sentence."""
    try:
        cli()
    except CommandError as error:
        click.echo(f"watchbot: {error}", err=True)
        sys.exit(error.exit_code)
