#!/bin/sh
# Gives the gateway's ordinary role its password; the migration would create it without one.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$GATEWAY_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE rewards_gateway LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
SQL
