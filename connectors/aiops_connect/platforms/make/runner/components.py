"""Runs one component of an app: a module, an RPC, a connection's check, a webhook's registration, an endpoint."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from aiops_connect.platforms.make.runner import triggers, webhooks
from aiops_connect.platforms.make.runner.app import MANIFEST, App, Block, Component, ComponentKind
from aiops_connect.platforms.make.runner.blocks import Request, read_requests
from aiops_connect.platforms.make.runner.chain import execute
from aiops_connect.platforms.make.runner.endpoints import call_endpoint
from aiops_connect.platforms.make.runner.errors import AppError, InputError, InputProblem, MakeError
from aiops_connect.platforms.make.runner.http import Client
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, is_missing, to_json, type_name, utf8
from aiops_connect.platforms.make.runner.inputs import Inputs, Settings, prepare_variables, secrets
from aiops_connect.platforms.make.runner.pages import Paging, Result
from aiops_connect.platforms.make.runner.rebase import Rebased
from aiops_connect.platforms.make.runner.run import Run
from aiops_connect.platforms.make.runner.trace import Trace
from aiops_connect.platforms.make.runner.webhooks import Payload, Reply

TargetKind = Literal["module", "rpc", "connection", "endpoint", "attach", "detach", "update", "webhook", "epoch"]
COMPONENTS: dict[TargetKind, ComponentKind] = {
    "module": "module", "epoch": "module", "rpc": "rpc", "connection": "connection", "endpoint": "endpoint",
    "webhook": "webhook", "attach": "webhook", "detach": "webhook", "update": "webhook",
}  # fmt: skip
PARTS = ("epoch", "attach", "detach", "update")
OAUTH_CHECK = "info"


@dataclass(frozen=True, slots=True)
class Target:
    """What to run: the kind, the component's name, and the section of an OAuth connection."""

    kind: TargetKind
    name: str
    section: str = ""

    @classmethod
    def parse(cls, text: str) -> "Target":
        """`generateImage`, `rpc:listVoices`, `connection:oauth/refresh`; a module where no kind is said.

        :raises ValueError: for a kind that there is not
        """
        kind, colon, name = text.partition(":")
        if not colon:
            return cls("module", text)
        if kind not in get_args(TargetKind):
            raise ValueError(f"unknown kind {kind!r}; there is {', '.join(get_args(TargetKind))}")
        name, _, section = name.partition("/")
        return cls(kind, name, section)  # type: ignore[arg-type]  # checked above


def runnable(component: Component) -> list[str]:
    """The targets that a component offers, as texts."""
    own = component.name if component.kind == "module" else f"{component.kind}:{component.name}"
    return [own, *(f"{code}:{component.name}" for code in PARTS if code in component.codes)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave: bundles, what it stored (a connection's metadata, a trigger's data), the answer to a webhook."""

    bundles: list[Value]
    stored: dict[str, Value] = field(default_factory=dict)
    reply: Reply | None = None


def run(app: App, target: Target, inputs: Inputs, settings: Settings, trace: Trace) -> Outcome:
    """Runs a component; what it sends and receives goes into `trace`, also when it fails.

    :raises MakeError: where the app ends in an error that its user would see
    :raises AppError: where the app is at fault
    :raises InputError: for values that Make would not let in
    """
    component = app.component(COMPONENTS[target.kind], target.name)
    rebased = Rebased(app, settings.base_url)
    checked = target.kind not in ("connection", "detach", "webhook")
    variables = prepare_variables(app, component, inputs, settings, checked=checked)
    trace.secrets |= secrets(app, component, variables["connection"])
    with Client(settings.limits) as client:
        state = Run(
            app=app,
            clock=settings.clock,
            client=client,
            limits=settings.limits,
            trace=trace,
            variables=variables,
            call_endpoint=lambda state, request: call_endpoint(state, request, rebased),
            timezone=settings.timezone,
        )
        return _Execution(state, rebased, target, component, inputs).outcome()


@dataclass(frozen=True, slots=True)
class _Execution:
    """One component on its way through the chain."""

    state: Run
    blocks: Rebased
    target: Target
    component: Component
    inputs: Inputs

    def outcome(self) -> Outcome:
        if self.target.kind == "webhook" or self.component.metadata.get("moduleType") == "instant_trigger":
            return self._received()
        block, base = self._communication()
        if self.component.metadata.get("moduleType") == "responder":
            return self._responded(block)
        requests = read_requests(block, base)
        if self.component.metadata.get("moduleType") == "trigger" and self.target.kind == "module":
            return self._polled(requests)
        result = execute(self.state, requests, Paging())
        if self.target.kind in ("connection", "attach", "detach", "update"):
            return Outcome([], self._stored())
        return Outcome(self._bundles(result), self._stored())

    def _communication(self) -> tuple[Block, Block | None]:
        """The block to run, and the base where the component inherits it: modules, RPCs and endpoints do."""
        key = self.target.kind if self.target.kind in PARTS else "communication"
        block = self.blocks.code(self.component, key)
        if block is None:
            raise AppError(f"The {self.component.kind} {self.component.name!r} has no {key}.", MANIFEST)
        if self.component.metadata.get("connectionType") == "oauth":
            section = self.target.section or OAUTH_CHECK
            if section not in block.members():
                raise block.error(f"The connection has no section {section!r}. It has {', '.join(block.members())}.")
            if section == "token" and self.inputs.payload is not None:
                self._authorized(block.members().get("authorize"), self.inputs.payload)
            block = block.at(section)
        inherits = self.component.kind in ("module", "rpc", "endpoint")
        return block, self.blocks.base() if inherits else None

    def _authorized(self, authorize: Block | None, payload: Payload) -> None:
        """What a connection keeps of the redirect that brings a code: its `query` is that of the payload."""
        kept = authorize.members().get("response") if authorize is not None else None
        if kept is not None and "temp" in kept.members():
            self.state.variables["query"] = dict(payload.query)
            self.state.variables["temp"] = self.state.evaluate(kept.at("temp"))

    def _responded(self, block: Block) -> Outcome:
        """A responder answers the webhook that started the scenario."""
        members = block.members()
        answer = members.get("response") or members.get("respond")
        return Outcome([], {}, webhooks.reply(self.state, answer))

    def _stored(self) -> dict[str, Value]:
        """What was stored; the data of a webhook or connection within Make's limit."""
        stored = self.state.results
        size = len(utf8(to_json(stored.get("data", {}))))
        if size > self.state.limits.data_bytes:
            allowed = self.state.limits.data_bytes
            raise MakeError("RuntimeError", f"The stored data have {size} bytes; {allowed} are allowed.")
        return stored

    def _bundles(self, result: Result) -> list[Value]:
        """What passes Make's filter: collections, of an action only one; an RPC gives whatever it has."""
        if result.ends:
            return []
        iterated = result.bundles is not None
        value = [bundle.output for bundle in result.bundles or ()] if iterated else result.value
        values = value if isinstance(value, list) else [] if value is UNDEFINED else [value]
        if self.component.kind == "rpc" or self.target.kind == "epoch":
            return values
        single = self.component.metadata.get("moduleType") != "search" or self.component.kind == "endpoint"
        if single and isinstance(value, list) and not iterated:
            values = [value]
        kept = [one for one in values if isinstance(one, dict)]
        if dropped := [type_name(one) for one in values if not isinstance(one, dict) and not is_missing(one)]:
            self.state.trace.warn(f"{self.component.name}: Make outputs collections only, and drops this {dropped[0]}.")
        return kept[-1:] if single else kept

    def _polled(self, requests: tuple[Request, ...]) -> Outcome:
        trigger = triggers.read(self.state, requests)
        result = execute(self.state, requests, Paging(limited=False, enough=trigger.has_known))
        limit = self.state.number(requests[-1].response.get("limit"), 1)
        bundles, data = trigger.select(result.bundles or [], max(1, int(limit)))
        return Outcome(bundles, {**self._stored(), "data": data})

    def _received(self) -> Outcome:
        """An instant trigger, by the payload that its webhook gets."""
        webhook = self.component
        if self.component.kind == "module":
            name = self.component.metadata.get("webhook")
            webhook = self.state.app.component("webhook", str(name))
        if self.inputs.payload is None:
            raise InputError([InputProblem("payload", "A webhook needs one: what the service sends, as JSON.")])
        bundles, reply = webhooks.receive(self.state, self.blocks.code(webhook, "communication"), self.inputs.payload)
        return Outcome(bundles, {}, reply)
