//! Gatepost's store for many hosts: Postgres, with row level security as a second fence between accounts.
