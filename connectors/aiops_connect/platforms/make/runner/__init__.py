"""Runs the communication blocks of Make apps on this machine, over real HTTP.

    app = load_app(Path("my-app"))
    trace = Trace()
    outcome = run(app, Target.parse("searchJobs"), Inputs(parameters={"limit": 3}), Settings(RealClock()), trace)

Any app in the layout of Make's local development will do; nothing of Make itself is needed. What is known of Make's
behaviour and what had to be decided: docs/decisions/0015.
"""

from aiops_connect.platforms.make.runner.app import App, load_app
from aiops_connect.platforms.make.runner.clock import Clock, InstantClock, RealClock
from aiops_connect.platforms.make.runner.components import Outcome, Target, run
from aiops_connect.platforms.make.runner.errors import AppError, InputError, InputProblem, MakeError
from aiops_connect.platforms.make.runner.inputs import Inputs, Settings
from aiops_connect.platforms.make.runner.limits import Limits
from aiops_connect.platforms.make.runner.trace import Exchange, Trace
from aiops_connect.platforms.make.runner.webhooks import Payload, Reply

__all__ = [
    "App",
    "AppError",
    "Clock",
    "Exchange",
    "InputError",
    "InputProblem",
    "Inputs",
    "InstantClock",
    "Limits",
    "MakeError",
    "Outcome",
    "Payload",
    "RealClock",
    "Reply",
    "Settings",
    "Target",
    "Trace",
    "load_app",
    "run",
]
