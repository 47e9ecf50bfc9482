"""The router itself: calls in progress, trunks, the configuration, the audit."""

from __future__ import annotations

import asyncio

from pydantic import Field

from router.configuration import Finding
from router.model.decision import Origin
from router.ports import StoreError
from router.web.api import moments
from router.web.endpoint import ADMINISTRATORS, DESK, STAFF, Asked, Endpoint, Resource
from router.web.office import Office
from router.web.problems import Problem

MOST_ENTRIES = 1000  # of the audit in one answer


class CallResource(Resource):
    """A call in progress."""

    call_id: str
    state: str = Field(description="setup, up, joining or alone")
    began: str
    origin: Origin
    peer: str
    caller: str | None
    dialled: str
    person: str | None = Field(description="whose rules decided")
    action: str
    target: str | None


class CallsResource(Resource):
    calls: list[CallResource]


class TrunkResource(Resource):
    name: str
    up: bool
    cause: str = Field(description="why it cannot be used; empty while it can")


class TrunksResource(Resource):
    trunks: list[TrunkResource]


class FindingResource(Resource):
    """Something that is wrong with a configuration."""

    file: str
    line: int
    severity: str
    clause: str
    message: str
    suggestion: str

    @classmethod
    def of(cls, finding: Finding) -> FindingResource:
        return cls(
            file=finding.mark.file,
            line=finding.mark.line,
            severity=finding.severity,
            clause=finding.clause,
            message=finding.message,
            suggestion=finding.suggestion,
        )


class ConfigurationResource(Resource):
    company: str
    hash: str
    people: int
    prefixes: int = Field(description="entries of the greylist")
    findings: list[FindingResource]


class AuditResource(Resource):
    """One change."""

    at: str
    actor: str
    action: str
    subject: str
    before: str
    after: str


class AuditsResource(Resource):
    entries: list[AuditResource]


class Which(Resource):
    """Which entries of the audit."""

    since: str = Field(default="1970-01-01T00:00+00:00", description="from this moment on")
    until: str = Field(default="9999-01-01T00:00+00:00", description="before this moment")
    subject: str = Field(default="", description="a person's id, or a configuration's hash; all without it")
    limit: int = Field(default=100, ge=1, le=MOST_ENTRIES)


class OperationApi:
    """The operations on the router itself."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._reloading = asyncio.Lock()

    def endpoints(self) -> list[Endpoint]:
        """Return what is served."""
        configuration = "/api/v1/configuration"
        return [
            Endpoint("GET", "/api/v1/calls", "Calls in progress", DESK, self.list_calls, CallsResource),
            Endpoint("GET", "/api/v1/trunks", "State of the trunks", STAFF, self.list_trunks, TrunksResource),
            Endpoint("GET", configuration, "The one in force", STAFF, self.get_configuration, ConfigurationResource),
            Endpoint(
                "POST",
                f"{configuration}/reload",
                "Take the configuration over anew",
                ADMINISTRATORS,
                self.reload_configuration,
                ConfigurationResource,
            ),
            Endpoint(
                "GET", "/api/v1/audit", "Who changed what", ADMINISTRATORS, self.list_audit, AuditsResource, Which
            ),
        ]

    async def list_calls(self, _asked: Asked) -> CallsResource:
        """Numbers of callers are personal data: only administrators and the reception see them."""
        zone = self._office.configuration.policy.zone
        return CallsResource(
            calls=[
                CallResource(
                    call_id=call.call_id,
                    state=call.state,
                    began=moments.written(call.started, zone) or "",
                    origin=call.facts.origin,
                    peer=call.facts.peer,
                    caller=None if call.facts.withhold else call.facts.caller_number or call.facts.person,
                    dialled=call.facts.dialled,
                    person=call.decision.person,
                    action=call.decision.action,
                    target=None if call.decision.target is None else str(call.decision.target),
                )
                for call in sorted(self._office.calls_in_progress(), key=lambda call: call.started)
            ]
        )

    async def list_trunks(self, _asked: Asked) -> TrunksResource:
        """Whether each can be used, and why not."""
        trunks = self._office.trunks_up()
        return TrunksResource(
            trunks=[TrunkResource(name=name, up=up, cause="" if up else cause) for name, (up, cause) in trunks.items()]
        )

    async def get_configuration(self, _asked: Asked) -> ConfigurationResource:
        """With what was found wrong when it was loaded and stopped nothing; `renvoi check` finds more."""
        return self._configuration(self._office.configuration.warnings)

    async def reload_configuration(self, asked: Asked) -> ConfigurationResource:
        """Answers 422 with the findings when the files cannot be used: the old configuration then stays in force."""
        async with self._reloading:
            findings = await self._office.reload(asked.actor)
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            in_force = self._office.configuration.hash[:12]
            count = f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}"
            raise Problem(
                422,
                f"{count}; the configuration {in_force} stays in force",
                [{"where": str(finding.mark), "what": finding.message} for finding in errors],
            )
        return self._configuration(findings)

    async def list_audit(self, asked: Asked) -> AuditsResource:
        """The newest first."""
        which, zone = asked.query, self._office.configuration.policy.zone
        since = moments.read(which.since, zone, "query.since")
        until = moments.read(which.until, zone, "query.until")
        try:
            entries = await self._office.state_store.audit(
                since=since, until=until, subject=which.subject, limit=which.limit
            )
        except StoreError as error:
            raise Problem(503, f"the audit cannot be read: {error}") from error
        return AuditsResource(
            entries=[
                AuditResource(
                    at=moments.written(entry.at, zone) or "",
                    actor=entry.actor,
                    action=entry.action,
                    subject=entry.subject,
                    before=entry.before,
                    after=entry.after,
                )
                for entry in entries
            ]
        )

    def _configuration(self, findings: tuple[Finding, ...]) -> ConfigurationResource:
        configuration = self._office.configuration
        return ConfigurationResource(
            company=configuration.company_name,
            hash=configuration.hash,
            people=len(configuration.policy.people),
            prefixes=configuration.policy.greylist.entry_count,
            findings=[FindingResource.of(finding) for finding in findings],
        )
