#!/usr/bin/env bash
# Writes .env for docker-compose.yaml, with secrets made on the spot. Never replaces one that is there: with
# other keys the database could not be opened, every card would look new, and no ledger signature would hold.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -e .env ]; then
  echo "There is a .env already; it is left as it is." >&2
  exit 1
fi
command -v openssl >/dev/null || { echo "openssl is needed to make the secrets." >&2; exit 1; }

# Containers never run as root, whoever calls this.
uid=$(id -u); [ "$uid" != 0 ] || uid=50000
hex() { openssl rand -hex "$1"; }
umask 077
sed \
  -e "s|^AIRFLOW_UID=.*|AIRFLOW_UID=$uid|" \
  -e "s|^AIRFLOW_DATABASE_PASSWORD=.*|AIRFLOW_DATABASE_PASSWORD=$(hex 24)|" \
  -e "s|^FRAUDOPS_DATABASE_PASSWORD=.*|FRAUDOPS_DATABASE_PASSWORD=$(hex 24)|" \
  -e "s|^FRAUDOPS_OWNER_DATABASE_PASSWORD=.*|FRAUDOPS_OWNER_DATABASE_PASSWORD=$(hex 24)|" \
  -e "s|^AIRFLOW_FERNET_KEY=.*|AIRFLOW_FERNET_KEY=$(openssl rand -base64 32 | tr '+/' '-_')|" \
  -e "s|^AIRFLOW_JWT_SECRET=.*|AIRFLOW_JWT_SECRET=$(hex 64)|" \
  -e "s|^AIRFLOW_API_SECRET_KEY=.*|AIRFLOW_API_SECRET_KEY=$(hex 32)|" \
  -e "s|^AIRFLOW_ADMIN_PASSWORD=.*|AIRFLOW_ADMIN_PASSWORD=$(hex 9)|" \
  -e "s|^AIRFLOW_VALIDATOR_PASSWORD=.*|AIRFLOW_VALIDATOR_PASSWORD=$(hex 9)|" \
  -e "s|^AIRFLOW_ANALYST_PASSWORD=.*|AIRFLOW_ANALYST_PASSWORD=$(hex 9)|" \
  -e "s|^FRAUDOPS_TOKEN_KEY=.*|FRAUDOPS_TOKEN_KEY=$(hex 32)|" \
  -e "s|^FRAUDOPS_LEDGER_KEY=.*|FRAUDOPS_LEDGER_KEY=$(hex 32)|" \
  -e "s|^FRAUDOPS_PROTECTION_KEY=.*|FRAUDOPS_PROTECTION_KEY=$(hex 32)|" \
  .env.example > .env
echo "Wrote .env. The UI's login is admin, its password is AIRFLOW_ADMIN_PASSWORD in that file."
