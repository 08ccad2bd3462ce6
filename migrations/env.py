"""Runs the migrations on the connection that the archive hands over.

There is no other way in: the caller has opened the one transaction in which all pending migrations and their record
either happen or do not (`archive/storage/migrate.py`).
"""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table="_alembic_version",
    # The caller's transaction is the transaction; SQLite's DDL is transactional once the driver is kept from committing.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
