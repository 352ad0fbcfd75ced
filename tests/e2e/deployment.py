"""``cdk bootstrap`` and ``cdk deploy`` against the embedded AWS, with the CDK's own command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.ecs_host import EcsHost
from watchbot.contract import OUTPUT_SUFFIX, Description
from watchbot_cli.local.emulator import ACCOUNT, REGION, Emulator

_HERE = Path(__file__).parent
_CLI = "aws-cdk@>=2.1148 <3"
_INSTALLED = _HERE / "node_modules" / ".bin" / "cdk"


def cdk_command() -> str:
    """Give the CDK's command line, installed with npm the first time."""
    if not _INSTALLED.exists():
        npm = shutil.which("npm")
        assert npm is not None, "tests/e2e needs npm, from which it gets the CDK's command line"
        subprocess.run(
            [npm, "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--silent", _CLI],
            cwd=_HERE,
            check=True,
            timeout=300,
        )
    return str(_INSTALLED)


class Deployment:
    """The stack of ``deployed_app.py``.

    Where the embedded ECS differs from AWS's, the app makes up for it: it has no credentials that an AWS client would
    take, so the watcher gets them from ``host``; it knows neither memory limits nor images that cannot be had, which
    are proved with descriptions of tasks as AWS gives them; and its services start tasks, but do not replace them.
    """

    def __init__(self, emulator: Emulator, host: EcsHost) -> None:
        self.emulator = emulator
        self._environment = {
            **os.environ,
            **emulator.environment(),
            "CDK_DEFAULT_ACCOUNT": ACCOUNT,
            "CDK_DEFAULT_REGION": REGION,
            "CI": "true",
            "NODE_NO_WARNINGS": "1",
            "E2E_ENDPOINT_URL": emulator.endpoint_url,
            "E2E_CREDENTIALS": host.environment(REGION)["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"],
        }

    def deploy(self) -> None:
        """Create the stack."""
        self._cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")
        self._cdk("deploy", "--all", "--require-approval", "never")

    def destroy(self) -> None:
        """Delete the stack.

        ``cdk destroy`` asks CloudFormation for the same, but names the stack by its ARN, and the embedded AWS, which
        knows stacks by name alone, says that it is done and deletes nothing.
        """
        self.emulator.client("cloudformation").delete_stack(StackName="Deployed")

    def description(self) -> Description:
        """Give what the stack's output says of its Watchbot."""
        (stack,) = self.emulator.client("cloudformation").describe_stacks(StackName="Deployed")["Stacks"]
        (text,) = (one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"].endswith(OUTPUT_SUFFIX))
        return Description.from_json(text)

    def _cdk(self, *arguments: str) -> None:
        app = f"{sys.executable} {_HERE / 'deployed_app.py'}"
        ran = subprocess.run(
            [cdk_command(), *arguments, "--app", app, "--no-notices", "--output", "cdk.out"],
            cwd=self.emulator.directory,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert ran.returncode == 0, f"cdk {arguments[0]}:\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
