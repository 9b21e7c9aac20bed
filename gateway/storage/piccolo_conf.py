"""Piccolo's configuration, for migrations only: the application's own statements go through database.py."""

import os

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

APP_REGISTRY = AppRegistry(apps=["gateway.storage.piccolo_app"])

# Set by gateway.storage.migrate; from the environment only for Piccolo's own command line.
DB: PostgresEngine | None = None
if "MIGRATION_DATABASE_URL" in os.environ:
    DB = PostgresEngine(config={"dsn": os.environ["MIGRATION_DATABASE_URL"]}, extensions=())
