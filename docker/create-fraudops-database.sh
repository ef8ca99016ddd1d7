#!/bin/bash
# Run once by the PostgreSQL image, when its volume is empty: Airflow's database is made by the image itself,
# ours is made here, with an owner who cannot enter Airflow's, and a role for the application that cannot change the
# ledger: only migrations connect as the owner.
set -euo pipefail
psql --set ON_ERROR_STOP=1 --set password="$FRAUDOPS_OWNER_DATABASE_PASSWORD" \
  --set application="$FRAUDOPS_DATABASE_PASSWORD" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
create role fraudops login password :'password';
create role fraudops_app login password :'application';
create database fraudops owner fraudops;
revoke connect on database airflow from public;
revoke connect on database fraudops from public;
grant connect on database fraudops to fraudops_app;
SQL
