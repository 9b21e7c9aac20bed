"""What migrations share: SQL text as a Piccolo migration, in one database transaction."""

from collections.abc import Sequence

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.engine import engine_finder


def run_statements(
    *, migration_id: str, description: str, statements: Sequence[str]
) -> MigrationManager:
    """Return a Piccolo migration that runs each text, which may hold several statements, in order.

    Piccolo's own table operations know one primary-key column; ours lead with the tenant, so the DDL is SQL.
    """
    manager = MigrationManager(
        migration_id=migration_id, app_name="rewards_gateway", description=description
    )

    async def run() -> None:
        engine = engine_finder()
        transaction = engine.current_transaction.get() if engine else None
        if transaction is None:
            message = "Migrations run inside the transaction of gateway.storage.migrate."
            raise RuntimeError(message)
        for statement in statements:
            await transaction.connection.execute(statement)

    manager.add_raw(run)
    return manager
