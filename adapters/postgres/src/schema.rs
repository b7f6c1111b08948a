//! Schema: the migrations, in order, which of them a database has run, and the fence that row level security puts around its accounts.
//!
//! Two roles: one owns the tables and runs migrations, the other is what the store works as, and row level security binds it. With one URL
//! its role is the owner, and each connection steps down to [`crate::Options::app_role`] at its beginning; with
//! [`crate::Options::owner_url`] the store never has the owner's rights at all. [`make_ready`] does what is missing, and refuses a role
//! that no fence would hold.

use std::fmt::Write;
use std::time::Duration;

use gatepost::Timestamp;
use gatepost_rows::cells::Table;
use gatepost_rows::tables::TABLES;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::OpenError;
use crate::connect::{Options, Way};
use crate::error::said;
use crate::profile::{Engine, Profile};

/// Each migration runs once, in a transaction of its own. One that was released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_start.sql")];

/// What migrations have run.
const REGISTER: &str = "CREATE TABLE IF NOT EXISTS schema_migrations
    (version BIGINT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)";

/// Milliseconds since 1970 by the database's clock.
const NOW: &str = "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";

/// What tells the lock of a migration from all other advisory locks: "gatepost" in ASCII.
const LOCK: i64 = 0x6761_7465_706f_7374;

/// How long a migration may hold the row that is the lock where there are no others.
const LOCK_ROW_MILLIS: i64 = 120_000;

/// What the store does with the rows of every table.
const PRIVILEGES: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];

/// How the tables are stored that change all the time, where the engine is Postgres: with room for changed rows beside the old ones, and
/// swept before dead rows make every claim slow.
const STORAGE: &[(&[&str], &str)] = &[
    (
        &["outbox"],
        "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0",
    ),
    (&["accounts", "instances", "usage", "velocity", "traffic", "same_texts", "endpoints"], "fillfactor = 50"),
    (&["messages", "contacts", "event_deliveries", "inbound"], "fillfactor = 85"),
];

/// A database that can be used.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    /// What its engine can do.
    pub(crate) profile: Profile,
    /// The role that each connection steps down to; none where it is bound as it comes.
    pub(crate) role: Option<String>,
    /// Its clock.
    pub(crate) now: Timestamp,
}

/// Brings the database to the newest version; refuses one that a newer release wrote, and a role that is not bound.
pub(crate) async fn make_ready(way: &Way, owner: Option<&Way>, options: &Options) -> Result<Ready, OpenError> {
    let session = Session::open(way, options).await?;
    let role = match owner {
        Some(owner) => {
            let (user, owner) = (session.user().await?, Session::open(owner, options).await?);
            if session.place().await? != owner.place().await? {
                return Err(OpenError::InvalidOption(String::from("`owner_url` is of another database")));
            }
            owner.migrate(Some(AppRole { name: &user, is_below: false })).await?;
            None
        }
        None if session.may_migrate().await? => {
            let role = Some(options.app_role.clone()).filter(|_| session.profile.row_security);
            session.migrate(role.as_deref().map(|name| AppRole { name, is_below: true })).await?;
            role
        }
        None => {
            session.refuse_unless_newest().await?;
            None
        }
    };
    if session.profile.row_security {
        session.refuse_unless_fenced(role.as_deref()).await?;
    }
    let now = session.client.query_one(&format!("SELECT {NOW}"), &[]).await?.try_get(0)?;
    Ok(Ready { profile: session.profile, role, now: Timestamp::from_millis(now) })
}

/// An identifier as SQL takes it, whatever it holds.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The role that works with the tables, for which their owner makes them ready.
#[derive(Clone, Copy)]
struct AppRole<'a> {
    name: &'a str,
    /// Whether the owner steps down to it, or it comes with a URL of its own.
    is_below: bool,
}

/// A connection outside the pool, for what is done before there is one.
struct Session {
    client: Client,
    profile: Profile,
}

impl Session {
    async fn open(way: &Way, options: &Options) -> Result<Self, OpenError> {
        let (client, connection) = way.connect().await?;
        // It ends with its client.
        drop(tokio::spawn(connection));
        // What is there already is no news.
        client.batch_execute("SET client_min_messages = warning").await?;
        let profile = match options.profile {
            Some(profile) => profile,
            None => Profile::detect(&client).await?,
        };
        let session = Self { client, profile };
        session.refuse_unless_unicode().await?;
        Ok(session)
    }

    /// Another encoding cannot hold what people write, which would be seen message by message.
    async fn refuse_unless_unicode(&self) -> Result<(), OpenError> {
        let encoding: String = self.client.query_one("SELECT current_setting('server_encoding')", &[]).await?.try_get(0)?;
        match encoding.as_str() {
            "UTF8" => Ok(()),
            _ => Err(OpenError::Refused(format!(
                "its encoding is {encoding}, and must be UTF8: make it with `ENCODING 'UTF8' TEMPLATE template0`"
            ))),
        }
    }

    /// What tells the database from others: its name, and since when its server runs.
    async fn place(&self) -> Result<(String, Option<String>), OpenError> {
        let name = self.client.query_one("SELECT CAST(current_database() AS TEXT)", &[]).await?.try_get(0)?;
        if self.profile.engine != Engine::Postgres {
            return Ok((name, None));
        }
        let since = self.client.query_one("SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT)", &[]).await?;
        Ok((name, Some(since.try_get(0)?)))
    }

    async fn user(&self) -> Result<String, OpenError> {
        Ok(self.client.query_one("SELECT CAST(current_user AS TEXT)", &[]).await?.try_get(0)?)
    }

    /// Whether the role owns the tables, or may make them where there are none.
    async fn may_migrate(&self) -> Result<bool, OpenError> {
        if !self.profile.row_security {
            return Ok(true);
        }
        let sql = "SELECT coalesce(
            (SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('accounts')),
            has_schema_privilege(current_user, current_schema(), 'CREATE'))";
        Ok(self.client.query_one(sql, &[]).await?.try_get::<_, Option<bool>>(0)?.unwrap_or(false))
    }

    /// Runs the migrations that are missing, and sees to it that the role has what the store needs.
    async fn migrate(&self, role: Option<AppRole<'_>>) -> Result<(), OpenError> {
        // Without the lock, for it is not needed by most who come here.
        if self.is_register_there().await? && self.missing().await?.is_empty() && self.is_ready(role).await? {
            return Ok(());
        }
        self.lock().await?;
        let migrated = self.migrate_alone(role).await;
        self.unlock().await?;
        migrated
    }

    async fn migrate_alone(&self, role: Option<AppRole<'_>>) -> Result<(), OpenError> {
        self.client.batch_execute(REGISTER).await?;
        if let Some(AppRole { name, is_below }) = role {
            self.make_role(name).await?;
            if is_below {
                self.allow_step_down(name).await?;
            }
        }
        for version in self.missing().await? {
            self.run(version).await?;
        }
        if let Some(AppRole { name, .. }) = role
            && !self.is_granted(name).await?
        {
            let schema: String = self.client.query_one("SELECT CAST(current_schema() AS TEXT)", &[]).await?.try_get(0)?;
            self.client.batch_execute(&grants(&schema, name)).await?;
        }
        Ok(())
    }

    /// Whether the role can work.
    async fn is_ready(&self, role: Option<AppRole<'_>>) -> Result<bool, OpenError> {
        match role {
            Some(AppRole { name, is_below }) => Ok(self.is_granted(name).await? && (!is_below || self.may_step_down(name).await?)),
            None => Ok(true),
        }
    }

    /// Runs one migration.
    async fn run(&self, version: usize) -> Result<(), OpenError> {
        let migration = MIGRATIONS.get(version - 1).copied().unwrap_or_default();
        let mut all = format!("BEGIN; {migration}");
        all.push_str(&engine_steps(version, self.profile));
        let checksum = checksum(migration);
        let _ =
            write!(all, "INSERT INTO schema_migrations (version, checksum, applied_at) VALUES ({version}, '{checksum}', {NOW}); COMMIT");
        if let Err(error) = self.client.batch_execute(&all).await {
            self.client.batch_execute("ROLLBACK").await?;
            return Err(OpenError::Refused(format!("migration {version}: {}", said(&error))));
        }
        Ok(())
    }

    async fn is_register_there(&self) -> Result<bool, OpenError> {
        let sql = "SELECT 1 FROM information_schema.tables WHERE table_name = 'schema_migrations' AND table_schema = current_schema()";
        Ok(self.client.query_opt(sql, &[]).await?.is_some())
    }

    /// The versions that were not run. Refuses a database of a newer release, and one that ran something else.
    async fn missing(&self) -> Result<Vec<usize>, OpenError> {
        let mut missing: Vec<usize> = (1..=MIGRATIONS.len()).collect();
        for row in self.client.query("SELECT version, checksum FROM schema_migrations ORDER BY version DESC", &[]).await? {
            let found = usize::try_from(row.try_get::<_, i64>("version")?).unwrap_or(usize::MAX);
            let Some(migration) = found.checked_sub(1).and_then(|place| MIGRATIONS.get(place)) else {
                return Err(OpenError::NewerSchema { found, newest: MIGRATIONS.len() });
            };
            if row.try_get::<_, String>("checksum")? != checksum(migration) {
                return Err(OpenError::ChangedMigration { version: found });
            }
            missing.retain(|version| *version != found);
        }
        Ok(missing)
    }

    async fn refuse_unless_newest(&self) -> Result<(), OpenError> {
        if self.is_register_there().await? && self.missing().await?.is_empty() {
            return Ok(());
        }
        Err(OpenError::Refused(String::from("it has to be migrated, which its owner must do: give `owner_url`")))
    }

    async fn lock(&self) -> Result<(), OpenError> {
        if self.profile.advisory_locks {
            self.client.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})")).await?;
            return Ok(());
        }
        self.client.batch_execute("CREATE TABLE IF NOT EXISTS schema_lock (id BIGINT PRIMARY KEY, until BIGINT NOT NULL)").await?;
        let take = format!(
            "INSERT INTO schema_lock (id, until) VALUES (1, {NOW} + {LOCK_ROW_MILLIS})
             ON CONFLICT (id) DO UPDATE SET until = excluded.until WHERE schema_lock.until < {NOW}"
        );
        while self.client.execute(&take, &[]).await? == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn unlock(&self) -> Result<(), OpenError> {
        let unlock = match self.profile.advisory_locks {
            true => format!("SELECT pg_advisory_unlock({LOCK})"),
            false => String::from("UPDATE schema_lock SET until = 0 WHERE id = 1"),
        };
        Ok(self.client.batch_execute(&unlock).await?)
    }

    /// Makes the role where there is none.
    async fn make_role(&self, role: &str) -> Result<(), OpenError> {
        if self.user().await? == role {
            return Ok(());
        }
        let name = quoted(role);
        if self.client.query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[&role]).await?.is_none() {
            match self.client.batch_execute(&format!("CREATE ROLE {name} NOLOGIN")).await {
                // Another database of the same server was opened at this moment.
                Err(error) if [Some(&SqlState::DUPLICATE_OBJECT), Some(&SqlState::UNIQUE_VIOLATION)].contains(&error.code()) => {}
                Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => return Err(self.no_role(role).await?),
                made => made?,
            }
        }
        Ok(())
    }

    /// What to tell an operator whose role may make no others.
    async fn no_role(&self, role: &str) -> Result<OpenError, OpenError> {
        let (user, role) = (quoted(&self.user().await?), quoted(role));
        Ok(OpenError::Refused(format!(
            "its owner may not make the role that the store works as: have an administrator run `CREATE ROLE {role} NOLOGIN; GRANT {role} \
             TO {user}`"
        )))
    }

    /// Sees to it that this role may step down to the other: from version 16 on, who makes a role may not until they say so.
    async fn allow_step_down(&self, role: &str) -> Result<(), OpenError> {
        if self.may_step_down(role).await? {
            return Ok(());
        }
        match self.client.batch_execute(&format!("GRANT {} TO CURRENT_USER", quoted(role))).await {
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Err(self.no_role(role).await?),
            // A host of another database of the same server may have granted it at this moment.
            Err(error) if !self.may_step_down(role).await? => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn may_step_down(&self, role: &str) -> Result<bool, OpenError> {
        match self.step_down(role).await {
            Ok(()) => Ok(self.client.batch_execute("RESET ROLE").await.map(|()| true)?),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn step_down(&self, role: &str) -> Result<(), tokio_postgres::Error> {
        self.client.batch_execute(&format!("SET ROLE {}", quoted(role))).await
    }

    /// Whether the role has every privilege that the store needs.
    async fn is_granted(&self, role: &str) -> Result<bool, OpenError> {
        let exists = "SELECT 1 FROM pg_roles WHERE rolname = $1";
        if self.client.query_opt(exists, &[&role]).await?.is_none() {
            return Ok(false);
        }
        let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
        // Of several in one call, one is enough for the answer to be yes.
        let sql = "SELECT coalesce(bool_and(has_table_privilege($1, to_regclass(name), privilege)), false)
            AND has_table_privilege($1, 'schema_migrations', 'SELECT')
            FROM unnest($2::text[]) AS known (name), unnest($3::text[]) AS needed (privilege)";
        let granted = self.client.query_one(sql, &[&role, &names, &PRIVILEGES.as_slice()]).await?;
        Ok(granted.try_get::<_, Option<bool>>(0)?.unwrap_or(false))
    }

    /// Steps down to the role as each connection of the store will, and sees what would hold it there.
    async fn refuse_unless_fenced(&self, role: Option<&str>) -> Result<(), OpenError> {
        if let Some(role) = role {
            self.step_down(role).await?;
        }
        let sql = "SELECT CAST(current_user AS TEXT) AS role, rolsuper, rolbypassrls,
                pg_has_role(current_user, relowner, 'USAGE') AS owns, relrowsecurity AND relforcerowsecurity AS fenced
            FROM pg_roles, pg_class WHERE rolname = current_user AND pg_class.oid = to_regclass('messages')";
        let row = self.client.query_one(sql, &[]).await?;
        let causes = [("rolsuper", "is a superuser"), ("rolbypassrls", "has BYPASSRLS"), ("owns", "owns the tables")];
        for (column, cause) in causes {
            if row.try_get(column)? {
                return Err(OpenError::Unfenced { role: row.try_get("role")?, cause });
            }
        }
        match row.try_get("fenced")? {
            true => Ok(()),
            false => Err(OpenError::Unfenced { role: row.try_get("role")?, cause: "finds no policies in force" }),
        }
    }
}

/// What goes with a migration on some engines only.
fn engine_steps(version: usize, profile: Profile) -> String {
    let mut steps = String::new();
    if version == 1 && matches!(profile.engine, Engine::Citus | Engine::Postgres) {
        for (tables, storage) in STORAGE {
            for table in *tables {
                let _ = writeln!(steps, "ALTER TABLE {table} SET ({storage});");
            }
        }
    }
    if version == 1 && profile.row_security {
        TABLES.iter().for_each(|table| steps.push_str(&fence(table)));
    }
    steps
}

/// The policies of a table: the rows of the accounts that a transaction names, and, to read only, all where it names `*`.
///
/// What the transaction named is read in a subquery, so that it is read once a statement and not once a row. `coalesce` keeps the planner
/// from looking the list up in an index beside the statement's own conditions, which takes ten times as long as the statement does.
fn fence(table: &Table) -> String {
    let Some(account) = account_of(table) else { return String::new() };
    let name = table.name;
    let named = "NULLIF(current_setting('gatepost.accounts', true), '')";
    let list = format!("(SELECT CASE {named} WHEN '*' THEN '{{}}' ELSE {named} END::bytea[])::bytea[]");
    let is_named = format!("coalesce({account} = ANY ({list}), false)");
    format!(
        "ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
         ALTER TABLE {name} FORCE ROW LEVEL SECURITY;
         CREATE POLICY fence ON {name} USING ({is_named}) WITH CHECK ({is_named});
         CREATE POLICY finding ON {name} FOR SELECT USING ((SELECT current_setting('gatepost.accounts', true)) = '*');\n"
    )
}

/// What says whose a row is. The rows of the operator are those of an account whose id is empty; the roots of the keyring and the turn to seal are nobody's.
fn account_of(table: &Table) -> Option<&'static str> {
    match table.name {
        "accounts" => Some("id"),
        "api_keys" => Some("coalesce(account, '\\x'::bytea)"),
        _ => table.place("account").map(|_| "account"),
    }
}

/// What the role of the store may do: everything with rows, nothing with tables.
fn grants(schema: &str, role: &str) -> String {
    let role = quoted(role);
    let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    format!(
        "GRANT USAGE ON SCHEMA {} TO {role};
         GRANT {} ON {} TO {role}; GRANT SELECT ON schema_migrations TO {role}",
        quoted(schema),
        PRIVILEGES.join(", "),
        names.join(", ")
    )
}

fn checksum(migration: &str) -> String {
    Sha256::digest(migration.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_an_account_but_the_roots_and_the_turn_to_seal() {
        let without: Vec<&str> = TABLES.iter().filter(|table| account_of(table).is_none()).map(|table| table.name).collect();
        assert_eq!(without, ["roots", "sealing"]);
    }

    #[test]
    fn migrations_stay_in_the_subset_that_all_engines_share() {
        for migration in MIGRATIONS {
            let words = migration.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
            for word in ["SERIAL", "IDENTITY", "TRIGGER", "DEFERRABLE", "INCLUDE", "FUNCTION", "DO $$", "CONCURRENTLY", "BLOB"] {
                assert!(!words.to_uppercase().contains(word), "{word}");
            }
        }
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quoted(r#"a"; DROP TABLE accounts; --"#), r#""a""; DROP TABLE accounts; --""#);
    }
}
