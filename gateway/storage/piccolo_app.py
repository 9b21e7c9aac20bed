"""The Piccolo app: where the tables and migrations are."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

from gateway.storage.migrate import APP_NAME

APP_CONFIG = AppConfig(
    app_name=APP_NAME,
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder(["gateway.storage.tables"], exclude_imported=True),
)
