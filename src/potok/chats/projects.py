"""Projects in SQL."""

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from potok.chats.contract import Position, Project
from potok.chats.database import Database
from potok.chats.rows import project_of, storable
from potok.chats.tables import projects
from potok.clock import Clock
from potok.errors import ChatNotFound

__all__ = ["SqlProjects", "check_project"]


class SqlProjects:
    """The projects of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, *, principal: str, name: str, instructions: str) -> Project:
        now = self._clock.now()
        fields = {
            "principal": principal,
            "name": storable(name),
            "instructions": storable(instructions),
            "created_at": now,
            "updated_at": now,
        }
        async with self._database.writing() as connection:
            made = await connection.execute(insert(projects).values(fields).returning(projects))
            return project_of(made.one())

    async def read(self, project: int, *, principal: str) -> Project:
        async with self._database.reading() as connection:
            row = (
                await connection.execute(
                    select(projects).where(
                        projects.c.id == project, projects.c.principal == principal
                    )
                )
            ).first()
        if row is None:
            raise ChatNotFound("project", project)
        return project_of(row)

    async def page(
        self, *, principal: str, before: Position | None, items_max: int
    ) -> list[Project]:
        wanted = select(projects).where(projects.c.principal == principal)
        if before is not None:
            at, id = before
            wanted = wanted.where(
                or_(
                    projects.c.updated_at < at,
                    and_(projects.c.updated_at == at, projects.c.id < id),
                )
            )
        wanted = wanted.order_by(projects.c.updated_at.desc(), projects.c.id.desc())
        async with self._database.reading() as connection:
            return [project_of(row) for row in await connection.execute(wanted.limit(items_max))]

    async def update(
        self, project: int, *, principal: str, name: str | None, instructions: str | None
    ) -> Project:
        fields: dict[str, object] = {"updated_at": self._clock.now()}
        if name is not None:
            fields["name"] = storable(name)
        if instructions is not None:
            fields["instructions"] = storable(instructions)
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(projects)
                .where(projects.c.id == project, projects.c.principal == principal)
                .values(fields)
                .returning(projects)
            )
            row = changed.first()
            if row is None:
                raise ChatNotFound("project", project)
            return project_of(row)

    async def delete(self, project: int, *, principal: str) -> None:
        async with self._database.writing() as connection:
            gone = await connection.execute(
                delete(projects).where(projects.c.id == project, projects.c.principal == principal)
            )
            if not gone.rowcount:
                raise ChatNotFound("project", project)


async def check_project(connection: AsyncConnection, project: int | None, principal: str) -> None:
    """Refuse a project that is not the principal's; raises `ChatNotFound`."""
    if project is None:
        return
    wanted = select(projects.c.id).where(
        projects.c.id == project, projects.c.principal == principal
    )
    if (await connection.execute(wanted)).first() is None:
        raise ChatNotFound("project", project)
