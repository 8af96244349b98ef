"""The one place that knows DBOS: launch, queues, steps.

Workflows are cursors, swarm's own tables are the truth; docs/decisions/0003-durable-engine.md says why each
setting here is as it is.
"""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, Serializer

from app.supervisor.bell import Bell, stretch
from app.supervisor.faults import fault

P = ParamSpec("P")
T = TypeVar("T")

ENGINE_VERSION = "engine-1"
"""Bumped by hand, only when a workflow's body changes so that runs in flight cannot go on with it."""
UNFINISHED = ("PENDING", "ENQUEUED", "DELAYED")
INTAKE = "intake"
INTAKE_PLACES = 256
"""Runs that may wait for a place at the same time; waiting costs nothing."""
NOTIFICATION_SECONDS = 0.25
JOBS_SECONDS = 60.0
"""How often delays and deadlines of workflows are looked after. Ours have none."""
STEP_RETRIES = 100
"""A step that raises is tried again, with growing pauses: only the infrastructure raises."""


def host_queue(host: str) -> str:
    """Where the runs wait that the host keeps."""
    return f"host-{host}"


def desk_queue(host: str) -> str:
    """Where waits what has to be done where a task's repository is."""
    return f"desk-{host}"


def last_host(c: sa.Connection) -> str:
    """The host whose engine worked on this database last, where there is only one; empty when none did."""
    schema = None if c.dialect.name == "sqlite" else "dbos"
    if not sa.inspect(c).has_table("workflow_status", schema=schema):
        return ""
    host, at = sa.column("executor_id", sa.Text), sa.column("created_at", sa.BigInteger)
    worked = sa.select(host).select_from(sa.table("workflow_status", schema=schema))
    return c.execute(worked.where(host.is_not(None)).order_by(at.desc()).limit(1)).scalar() or ""


class Json(Serializer):
    """Arguments and results as JSON: readable in a year, and safe to load."""

    def serialize(self, data: Any) -> str:
        return json.dumps(data, default=lambda thing: {"error": f"{type(thing).__name__}: {thing}"})

    def deserialize(self, serialized_data: str) -> Any:
        return json.loads(serialized_data)

    def name(self) -> str:
        return "swarm_json"


class Engine:
    """Durable execution for one supervisor on one host."""

    def __init__(
        self,
        database: sa.Engine,
        host: str,
        *,
        concurrency: int,
        poll: float,
        shared: tuple[str, ...] = (INTAKE,),
    ) -> None:
        self.host = host
        self._shared = shared
        self._database = database
        self._concurrency = concurrency
        self._poll = poll
        self._client: DBOSClient | None = None
        self._bell = Bell(rest=poll)
        self._closing = False
        self._at_work: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def host_queue(self) -> str:
        return host_queue(self.host)

    @property
    def desk_queue(self) -> str:
        """For what a person decided: it never waits for a place among the agents at work."""
        return desk_queue(self.host)

    @property
    def _queues(self) -> dict[str, int]:
        """How many workflows of each queue may be under way here."""
        own = {self.host_queue: self._concurrency, self.desk_queue: 4}
        return own | dict.fromkeys(self._shared, INTAKE_PLACES)

    async def launch(self, workflows: dict[str, Callable[..., Awaitable[Any]]]) -> None:
        """Register the workflows, recover what a dead supervisor left, and start taking work."""
        self._loop = asyncio.get_running_loop()
        dbos = DBOS(
            config=DBOSConfig(
                name="swarm",
                system_database_engine=self._database,
                application_version=ENGINE_VERSION,
                executor_id=self.host,
                serializer=Json(),
                max_executor_threads=16,
                log_level="ERROR",
                run_migrations=True,
                use_listen_notify=False,
                # Nothing is ever sent to a workflow; how long this takes to look is how long closing takes.
                notification_listener_polling_interval_sec=NOTIFICATION_SECONDS,
            )
        )
        for name, body in workflows.items():
            DBOS.workflow(name=name, max_recovery_attempts=50)(self._letting_go(body))
        DBOS.listen_queues(list(self._queues))
        dbos.background_thread_stop_events = self._bell.ends()
        stretch(dbos._background_jobs_stop_event, JOBS_SECONDS)  # noqa: SLF001 - it has no setting
        DBOS.launch()
        for queue, room in self._queues.items():
            await DBOS.register_queue_async(
                queue, worker_concurrency=room, polling_interval_sec=self._poll
            )
        # What a dead supervisor left is put back into the queues in the background, soon after the launch.
        self._bell.ring()
        self._client = DBOSClient(
            system_database_engine=self._database, serializer=Json(), application_name="swarm"
        )

    def enqueue(
        self, c: sa.Connection, workflow: str, workflow_id: str, *arguments: str | int, queue: str
    ) -> None:
        """Enqueue a workflow in the caller's transaction; the same id again changes nothing."""
        assert self._client, "launch() comes first"
        self._client.enqueue_in_transaction(
            c,
            {"workflow_name": workflow, "queue_name": queue, "workflow_id": workflow_id},
            *arguments,
        )
        self._bell.ring(queue)

    async def enqueue_child(self, workflow: str, workflow_id: str, *arguments: str | int) -> None:
        """From inside a workflow: enqueue another one on this host's own queue."""
        await DBOS.enqueue_workflow_with_options_async(
            {
                "workflow_name": workflow,
                "queue_name": self.host_queue,
                "workflow_id": workflow_id,
            },
            *arguments,
        )
        self._bell.ring(self.host_queue)

    def ring(self) -> None:
        """There may be something to do: look now."""
        self._bell.ring(*self._queues)

    async def forget(self, workflow: str, stale: Callable[[str], Awaitable[bool]]) -> None:
        """Before the launch: let go of what others do by now, of all that this host has of that workflow."""
        if not sa.inspect(self._database).has_table("workflow_status", schema="dbos"):
            return
        client = DBOSClient(
            system_database_engine=self._database, serializer=Json(), application_name="swarm"
        )
        try:
            known = await client.list_workflows_async(
                status=list(UNFINISHED), name=workflow, queue_name=self.host_queue, load_input=False
            )
            for each in known:
                if await stale(each.workflow_id):
                    await client.cancel_workflow_async(each.workflow_id)
        finally:
            client.destroy()

    async def unfinished(self) -> frozenset[str]:
        """Ids of the workflows that still have something to do."""
        found = await DBOS.list_workflows_async(status=list(UNFINISHED))
        return frozenset(each.workflow_id for each in found)

    async def close(self) -> None:
        """Let go. What was running stays pending and is recovered at the next launch."""
        self._closing = True
        await self._let_go()
        if self._client:
            self._client.destroy()
        # DBOS made its threads those of this loop and ends them; what is closed after it needs some, too.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    def _letting_go(
        self, body: Callable[..., Awaitable[None]]
    ) -> Callable[..., Coroutine[Any, Any, None]]:
        """The same workflow, which ends without an outcome when this supervisor does."""

        @functools.wraps(body)
        async def workflow(*arguments: str | int) -> None:
            if self._loop is None or asyncio.get_running_loop() is self._loop:
                await at_work(*arguments)
                return
            # While our loop stands still for a moment, DBOS takes one of its own; all that steps use is in ours.
            there = asyncio.run_coroutine_threadsafe(at_work(*arguments), self._loop)
            await asyncio.wrap_future(there)

        async def at_work(*arguments: str | int) -> None:
            task = asyncio.current_task()
            if self._closing or task is None:
                raise asyncio.CancelledError
            self._at_work.add(task)
            try:
                await body(*arguments)
            finally:
                self._at_work.discard(task)
                self.ring()  # Its place in a queue is free.

        return workflow

    async def _let_go(self) -> None:
        """End the workflows while all that their steps use is still there."""
        leaving = list(self._at_work)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)


async def step(
    name: str, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Run a step at least once and remember its result; it may be killed before, inside and after."""

    async def body() -> T:
        fault(f"before:{name}")
        result = await function(*args, **kwargs)
        fault(f"after:{name}")
        return result

    return await DBOS.run_step_async(
        {
            "name": name,
            "retries_allowed": True,
            "max_attempts": STEP_RETRIES,
            "interval_seconds": 0.5,
            "backoff_rate": 1.5,
        },
        body,
    )
