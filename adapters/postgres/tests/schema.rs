//! Schema: migrations run once, under a lock, and refuse what they do not know; the tables are those that both stores share.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod cluster;

use std::thread;

use gatepost_cluster::{Cluster, Database, Settings};
use gatepost_postgres::{Engine, OpenError, Options, Profile, migrate};
use gatepost_rows::cells::Kind;
use gatepost_rows::tables::TABLES;

fn column(database: &Database<'_>, statement: &str) -> Vec<String> {
    database.run(statement).expect("an answer").into_iter().flatten().flatten().collect()
}

#[test]
fn migrating_twice_changes_nothing() {
    let Some(database) = cluster::empty() else { return };
    migrate(&database.url(), &Options::default()).expect("an empty database can be migrated");
    let state = "SELECT version || checksum || applied_at FROM schema_migrations";
    let before = column(&database, state);
    migrate(&database.url(), &Options::default()).expect("a database of this version");
    assert_eq!((before.len(), column(&database, state)), (1, before));
}

#[test]
fn hosts_that_start_together_migrate_once() {
    let Some(database) = cluster::empty() else { return };
    let url = database.url();
    thread::scope(|scope| {
        let hosts: Vec<_> = (0..4).map(|_| scope.spawn(|| migrate(&url, &Options::default()))).collect();
        hosts.into_iter().for_each(|host| host.join().expect("no panic").expect("one after the other"));
    });
    assert_eq!(column(&database, "SELECT version FROM schema_migrations"), ["1"]);
}

#[test]
fn hosts_that_start_together_migrate_once_where_a_row_is_the_lock() {
    let Some(database) = cluster::empty() else { return };
    let url = database.url();
    let profile = Profile { advisory_locks: false, ..Profile::of(Engine::Postgres) };
    let options = Options { profile: Some(profile), ..Options::default() };
    migrate(&url, &options).expect("the first, which makes the lock");
    database
        .run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE schema_lock (id BIGINT PRIMARY KEY, until BIGINT NOT NULL)")
        .expect("a lock");
    thread::scope(|scope| {
        let hosts: Vec<_> = (0..3).map(|_| scope.spawn(|| migrate(&url, &options))).collect();
        hosts.into_iter().for_each(|host| host.join().expect("no panic").expect("one after the other"));
    });
    assert_eq!(column(&database, "SELECT version FROM schema_migrations"), ["1"]);
}

#[test]
fn a_newer_schema_is_refused() {
    let Some(database) = cluster::fresh() else { return };
    database.run("INSERT INTO schema_migrations VALUES (99, '', 0)").expect("a version can be set");
    let refusal = migrate(&database.url(), &Options::default()).expect_err("99 is newer");
    assert_eq!(refusal.to_string(), "the database has schema version 99, and this release knows versions up to 1: use a newer release");
}

#[test]
fn a_migration_that_was_changed_is_refused() {
    let Some(database) = cluster::fresh() else { return };
    database.run("UPDATE schema_migrations SET checksum = 'another'").expect("a checksum can be set");
    let refusal = migrate(&database.url(), &Options::default()).expect_err("it ran something else");
    assert!(matches!(refusal, OpenError::ChangedMigration { version: 1 }), "{refusal}");
}

#[test]
fn a_role_that_no_fence_holds_is_refused() {
    let Some(database) = cluster::migrated() else { return };
    let refusal = migrate(&database.url(), &Options { app_role: String::from("postgres"), ..Options::default() }).expect_err("a superuser");
    let expected = "the role `postgres` is a superuser, so that row level security does not bind it: \
        name another with `app_role`, or give `owner_url`";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn an_owner_migrates_for_a_role_that_owns_nothing() {
    let Some(database) = cluster::empty() else { return };
    let name = database.name();
    let roles = format!(
        "CREATE ROLE {name}_owner LOGIN PASSWORD 'o'; CREATE ROLE {name}_app LOGIN PASSWORD 'a';
         GRANT ALL ON SCHEMA public TO {name}_owner"
    );
    database.run(&roles).expect("two roles");
    let (owner, app) = (database.url_as(&format!("{name}_owner"), "o"), database.url_as(&format!("{name}_app"), "a"));
    let refusal = migrate(&app, &Options::default()).expect_err("it may make no tables");
    assert_eq!(refusal.to_string(), "the database cannot be opened: it has to be migrated, which its owner must do: give `owner_url`");
    migrate(&app, &Options { owner_url: Some(owner), ..Options::default() }).expect("the owner may");
    migrate(&app, &Options::default()).expect("nothing is left to do");
    assert_eq!(column(&database, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"), [format!("{name}_owner")]);
    database.run(&format!("DROP OWNED BY {name}_owner, {name}_app; DROP ROLE {name}_owner, {name}_app")).expect("they go");
}

#[test]
fn an_owner_of_another_database_migrates_nothing() {
    let (Some(database), Some(other)) = (cluster::empty(), cluster::empty()) else { return };
    let server = Cluster::start(&Settings::default()).expect("another server");
    server.run("postgres", &format!("CREATE DATABASE {}", database.name())).expect("a database of the same name");
    for owner in [other.url(), server.url(database.name())] {
        let options = Options { owner_url: Some(owner), ..Options::default() };
        let refusal = migrate(&database.url(), &options).expect_err("they are two");
        assert_eq!(refusal.to_string(), "`owner_url` is of another database");
    }
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(column(&other, tables), [""; 0]);
    assert_eq!(server.run(database.name(), tables).expect("an answer").len(), 0);
}

#[test]
fn a_database_that_cannot_hold_what_people_write_is_refused() {
    let Some(database) = cluster::empty() else { return };
    let name = format!("{}_latin", database.name());
    database.run(&format!("CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")).expect("a database");
    let url = database.url().replace(database.name(), &name);
    let refusal = migrate(&url, &Options::default()).expect_err("it knows no Arabic").to_string();
    assert!(refusal.contains("its encoding is LATIN1, and must be UTF8"), "{refusal}");
    database.run(&format!("DROP DATABASE {name} WITH (FORCE)")).expect("it goes");
}

#[test]
fn who_has_just_set_it_up_is_told_what_a_code_means() {
    let Some(database) = cluster::empty() else { return };
    let told = |url: &str| migrate(url, &Options::default()).expect_err("it cannot be opened").to_string();
    let wrong = told(&database.url_as("nobody_here", "hush"));
    assert!(wrong.contains("28P01, the password is wrong, or there is no such role") && !wrong.contains("hush"), "{wrong}");
    let absent = told(&database.url().replace(database.name(), "elsewhere"));
    assert!(absent.contains("3D000, there is no such database"), "{absent}");
}

#[test]
fn an_owner_that_may_make_no_roles_is_told_what_to_ask_for() {
    let Some(database) = cluster::empty() else { return };
    let name = database.name();
    let role = format!("CREATE ROLE {name}_owner LOGIN PASSWORD 'o'; GRANT ALL ON SCHEMA public TO {name}_owner");
    database.run(&role).expect("a role");
    let options = Options { app_role: format!("{name}_app"), ..Options::default() };
    let url = database.url_as(&format!("{name}_owner"), "o");
    let refusal = migrate(&url, &options).expect_err("it may make no role").to_string();
    let asked = format!("CREATE ROLE \"{name}_app\" NOLOGIN; GRANT \"{name}_app\" TO \"{name}_owner\"");
    assert!(refusal.contains(&asked), "{refusal}");
    database.run(&asked).expect("an administrator may");
    migrate(&url, &options).expect("nothing is in the way");
    database.run(&format!("DROP OWNED BY {name}_owner, {name}_app; DROP ROLE {name}_owner, {name}_app")).expect("they go");
}

/// A role that owns a database of its own and may make others, as an administrator gives it out, and the URL of the database.
fn owner_that_makes_roles(database: &Database<'_>) -> (String, Options) {
    let name = database.name();
    let role = format!("CREATE ROLE {name}_owner LOGIN CREATEROLE PASSWORD 'o'; GRANT ALL ON SCHEMA public TO {name}_owner");
    database.run(&role).expect("a role");
    (database.url_as(&format!("{name}_owner"), "o"), Options { app_role: format!("{name}_app"), ..Options::default() })
}

fn drop_roles(database: &Database<'_>) {
    let name = database.name();
    database.run(&format!("DROP OWNED BY {name}_owner, {name}_app; DROP ROLE {name}_owner, {name}_app")).expect("they go");
}

#[test]
fn hosts_that_start_together_as_an_owner_that_makes_roles_all_start() {
    let Some(database) = cluster::empty() else { return };
    let (url, options) = owner_that_makes_roles(&database);
    thread::scope(|scope| {
        let hosts: Vec<_> = (0..4).map(|_| scope.spawn(|| migrate(&url, &options))).collect();
        hosts.into_iter().for_each(|host| host.join().expect("no panic").expect("one after the other"));
    });
    drop_roles(&database);
}

/// Roles are the server's, and the lock of a migration is its database's: the host of another one may grant the same.
#[test]
fn what_another_grants_at_the_same_moment_is_no_reason_to_refuse() {
    let Some(database) = cluster::empty() else { return };
    let (url, options) = owner_that_makes_roles(&database);
    let name = database.name();
    database.run(&format!("CREATE ROLE {name}_app")).expect("a role");
    // Holds its grant back until the host waits for it.
    let grant = format!(
        "BEGIN; GRANT {name}_app TO {name}_owner; SELECT pg_advisory_xact_lock(77);
         DO $$ BEGIN
             WHILE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE usename = '{name}_owner' AND wait_event_type = 'Lock') LOOP
                 PERFORM pg_stat_clear_snapshot();
             END LOOP;
         END $$; COMMIT"
    );
    thread::scope(|scope| {
        let other = scope.spawn(|| database.run(&grant).map(drop));
        while column(&database, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 77").is_empty() {
            thread::yield_now();
        }
        migrate(&url, &options).expect("what it wanted to grant is granted");
        other.join().expect("no panic").expect("it was not in the way");
    });
    drop_roles(&database);
}

#[test]
fn a_privilege_that_is_missing_is_granted_again() {
    let Some(database) = cluster::empty() else { return };
    let (url, options) = owner_that_makes_roles(&database);
    migrate(&url, &options).expect("an empty database can be migrated");
    let app = &options.app_role;
    for privilege in ["SELECT", "INSERT", "UPDATE", "DELETE"] {
        database.run(&format!("REVOKE {privilege} ON messages FROM {app}")).expect("it had it");
        migrate(&url, &options).expect("it is granted again");
        let holds = format!("SELECT has_table_privilege('{app}', 'messages', '{privilege}')");
        assert_eq!(column(&database, &holds), ["t"], "{privilege}");
    }
    drop_roles(&database);
}

#[test]
fn the_tables_are_those_that_both_stores_share() {
    let Some(database) = cluster::migrated() else { return };
    for table in TABLES {
        let name = table.name;
        let sql = format!(
            "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = '{name}' ORDER BY ordinal_position"
        );
        let kind = |kind| match kind {
            Kind::Int => "bigint",
            Kind::Text => "text",
            Kind::Bytes => "bytea",
        };
        let expected: Vec<String> = table.columns.iter().map(|column| format!("{} {}", column.name, kind(column.kind))).collect();
        assert_eq!(column(&database, &sql), expected, "{name}");
    }
}

#[test]
fn every_key_begins_with_the_account() {
    let Some(database) = cluster::migrated() else { return };
    for table in TABLES {
        let name = table.name;
        let sql = format!(
            "SELECT attname FROM pg_index, unnest(indkey) WITH ORDINALITY AS key (number, place), pg_attribute
             WHERE indrelid = '{name}'::regclass AND indisprimary AND attrelid = indrelid AND attnum = number ORDER BY place"
        );
        let key = column(&database, &sql);
        assert_eq!(key, table.key, "{name}");
        let alone = ["accounts", "api_keys", "roots", "sealing"].contains(&name);
        assert!(alone || key.first().is_some_and(|first| first == "account"), "{name}: {key:?}");
    }
}
