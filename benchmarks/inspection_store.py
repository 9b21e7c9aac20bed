"""What the benchmark reads from databases to check and describe a run. The table names are the same on every side."""

from __future__ import annotations

COUNT_GRANTS = "SELECT count(*) FROM grants"

# Size in bytes of each table that grew with grants, with and without its indexes, largest first.
TABLE_SIZES = """
SELECT relname AS name, pg_table_size(relid) AS table_bytes, pg_indexes_size(relid) AS index_bytes
FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC
"""

SERVER_SETTINGS = """
SELECT jsonb_object_agg(name, current_setting(name)) FROM pg_settings
WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size')
"""
