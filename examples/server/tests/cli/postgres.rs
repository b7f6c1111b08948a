//! The command line and the server over Postgres, and a SQLite database that moves there.

use std::fs;

use gatepost_cluster::{Cluster, Database};
use gatepost_postgres::{Options, migrate};
use serde_json::{Value, json};

use crate::support::{Place, Said, http, run, send, shown};

/// A database without tables; none, and a line that says so, where the machine has no Postgres.
fn database() -> Option<Database<'static>> {
    Some(Cluster::shared()?.create().unwrap())
}

fn in_database(place: &Place, url: &str, arguments: &[&str]) -> Said {
    let mut command = place.command(arguments);
    command.env("GATEPOST_DATABASE_URL", url);
    run(command, "")
}

fn json_in(place: &Place, url: &str, arguments: &[&str]) -> Value {
    in_database(place, url, &[arguments, &["--json"]].concat()).json()
}

#[test]
fn commands_and_servers_work_in_one_database_with_one_keyring() {
    let Some(database) = database() else { return };
    let (first, second) = (Place::new(), Place::new());
    json_in(&first, &database.url(), &["key", "create", "--operator", "--name", "first"]);
    let account = json_in(&first, &database.url(), &["account", "create", "--name", "Shop"]);
    let account = account["id"].as_str().unwrap();
    let key = json_in(&first, &database.url(), &["key", "create", "--name", "shop", "--account", account]);
    json_in(&first, &database.url(), &["instance", "create", "--name", "demo", "--provider", "sandbox"]);
    assert!(!first.data().join("gatepost.db").exists(), "there is no second database");

    let alone = in_database(&second, &database.url(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(alone.code, 2);
    assert!(alone.stderr.contains("the keyring is missing"), "{}", alone.stderr);
    assert!(!second.data().join("keys.toml").exists());
    fs::copy(first.data().join("keys.toml"), second.data().join("keys.toml")).unwrap();

    let hosts = [&first, &second].map(|place| place.serve(&["--database", &database.url()]));
    for (host, person) in hosts.iter().zip(["+999501234567", "+999501234568"]) {
        let (status, sent) = send(&host.url, key["api_key"].as_str().unwrap(), 30, person);
        assert_eq!((status, sent["status"].as_str()), (200, Some("sent")), "{sent}");
    }
    let listed = json_in(&second, &database.url(), &["message", "list"]);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(json_in(&first, &database.url(), &["usage"])["live"]["day"]["used"], 2);
    assert_eq!(in_database(&first, &database.url(), &["audit", "verify"]).code, 0);
    for host in hosts {
        assert_eq!(host.stop().code, 0);
    }
    let backup = in_database(&first, &database.url(), &["backup", "copy.db"]);
    assert_eq!(backup.code, 2);
    assert!(backup.stderr.contains("`pg_dump`"), "{}", backup.stderr);
}

/// Two hosts that each made a keyring could not read what the other makes, without a word to anybody.
#[test]
fn a_host_with_a_keyring_of_its_own_is_refused_from_the_first_start_on() {
    let Some(database) = database() else { return };
    let (first, second, third) = (Place::new(), Place::new(), Place::new());
    fs::write(first.path("gatepost.toml"), "mode = \"production\"\n").unwrap();
    first.serve(&["--database", &database.url()]).stop();
    assert_eq!(json_in(&first, &database.url(), &["account", "list"]), json!({"items": []}));

    let without = in_database(&second, &database.url(), &["key", "create", "--operator", "--name", "second"]);
    assert_eq!(without.code, 2);
    assert!(without.stderr.contains("the keyring is missing"), "{}", without.stderr);

    third.json(&["account", "create", "--name", "Shop"]);
    let other = in_database(&third, &database.url(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("keys.toml: expected another root 1: this one is not that of the database"), "{}", other.stderr);
    assert!(other.stderr.contains("a copy of that of another host"), "{}", other.stderr);
}

#[test]
fn of_first_starts_at_one_moment_one_keyring_is_left() {
    let Some(database) = database() else { return };
    let hosts = [(); 4].map(|()| Place::new());
    let said: Vec<Said> = std::thread::scope(|scope| {
        let create = |place| in_database(place, &database.url(), &["key", "create", "--operator", "--name", "first"]);
        let hosts: Vec<_> = hosts.iter().map(|place| scope.spawn(move || create(place))).collect();
        hosts.into_iter().map(|host| host.join().unwrap()).collect()
    });
    assert_eq!(said.iter().filter(|said| said.code == 0).count(), 1, "{said:?}");
    for refused in said.iter().filter(|said| said.code != 0) {
        assert_eq!(refused.code, 2, "{refused:?}");
        let is_told = ["expected another root 1", "the keyring is missing"].iter().any(|told| refused.stderr.contains(told));
        assert!(is_told, "{refused:?}");
    }
}

#[test]
fn a_host_whose_keyring_lacks_a_root_is_refused_once_that_has_made_something() {
    let Some(database) = database() else { return };
    let (first, second) = (Place::new(), Place::new());
    json_in(&first, &database.url(), &["account", "create", "--name", "Shop"]);
    fs::create_dir(second.data()).unwrap();
    fs::copy(first.data().join("keys.toml"), second.data().join("keys.toml")).unwrap();
    json_in(&second, &database.url(), &["account", "list"]);
    first.run(&["keyring", "add"]).ok();
    json_in(&first, &database.url(), &["account", "list"]);
    json_in(&second, &database.url(), &["account", "list"]);
    first.run(&["keyring", "use", "2"]).ok();
    json_in(&first, &database.url(), &["key", "create", "--operator", "--name", "new"]);

    let older = in_database(&second, &database.url(), &["account", "list"]);
    assert_eq!(older.code, 2);
    assert!(older.stderr.contains("keys.toml: expected root 2, which the database knows"), "{}", older.stderr);
}

/// At no step of it does one host make a key that another answers with 401.
#[test]
fn a_keyring_is_rotated_host_after_host_while_all_of_them_serve() {
    let Some(database) = database() else { return };
    let (first, second) = (Place::new(), Place::new());
    let distribute = || {
        fs::create_dir_all(second.data()).unwrap();
        fs::copy(first.data().join("keys.toml"), second.data().join("keys.toml")).unwrap();
    };
    let serve = |place: &Place| place.serve(&["--database", &database.url()]);
    let made_here_holds_there = |here: &str, there: &str, operator: &str| {
        let (status, made) = http("POST", &format!("{here}/v1/operator-keys"), operator, Some(&json!({"name": "new"})));
        assert_eq!(status, 201, "{made}");
        assert_eq!(http("GET", &format!("{there}/v1/accounts"), made["api_key"].as_str().unwrap(), None).0, 200);
    };
    let operator = json_in(&first, &database.url(), &["key", "create", "--operator", "--name", "first"]);
    let operator = operator["api_key"].as_str().unwrap();
    distribute();
    let (mut one, mut other) = (serve(&first), serve(&second));
    for step in [&["keyring", "add"][..], &["keyring", "use", "2"]] {
        first.run(step).ok();
        distribute();
        one.stop();
        one = serve(&first);
        made_here_holds_there(&one.url, &other.url, operator);
        other.stop();
        other = serve(&second);
        made_here_holds_there(&other.url, &one.url, operator);
    }
    one.stop();
    other.stop();
    let roots = database.run("SELECT DISTINCT root FROM api_keys ORDER BY root").unwrap().concat();
    assert_eq!(roots, [Some("1".to_owned()), Some("2".to_owned())]);
}

#[test]
fn a_bootstrap_file_ends_only_the_keys_that_it_held_itself() {
    let Some(database) = database() else { return };
    let (first, second) = (Place::new(), Place::new());
    let serve = |place: &Place| place.serve(&["--bootstrap", "bootstrap.json", "--database", &database.url()]);
    let key = |place: &Place| -> String {
        let keys: Value = serde_json::from_slice(&fs::read(place.path("bootstrap.json")).unwrap()).unwrap();
        keys["api_key"].as_str().unwrap().to_owned()
    };
    let one = serve(&first);
    fs::create_dir(second.data()).unwrap();
    fs::copy(first.data().join("keys.toml"), second.data().join("keys.toml")).unwrap();
    let other = serve(&second);
    for key in [key(&first), key(&second)] {
        assert_eq!(send(&one.url, &key, 30, "+999501234567").0, 200);
    }
    let former = key(&second);
    other.stop();
    let other = serve(&second);
    assert_eq!(send(&other.url, &former, 0, "+999501234567").0, 401);
    assert_eq!(send(&other.url, &key(&first), 30, "+999501234567").0, 200);
    one.stop();
    other.stop();
}

#[test]
fn a_password_is_never_shown() {
    let place = Place::new();
    let said = in_database(&place, "postgres://gate:hush@127.0.0.1:1/post", &["config", "check", "--json"]);
    assert!(said.stdout.contains("postgres://gate@127.0.0.1:1/post") && !said.stdout.contains("hush"), "{}", said.stdout);

    for (url, code, expected) in [
        ("postgres://gate:hush@127.0.0.1:port/post", 2, "`database.url` from GATEPOST_DATABASE_URL: expected a URL like `postgres://"),
        ("postgres://gate:hush@db.example/post?sslmode=prefer", 2, "no `sslmode` but `disable`, `require` or `verify-full`"),
        ("mysql://gate:hush@127.0.0.1/post", 2, "expected a URL like `postgres://"),
        ("postgres://gate:hush@127.0.0.1:1/post", 3, "postgres://gate@127.0.0.1:1/post: the database cannot be opened"),
    ] {
        let said = in_database(&place, url, &["account", "create", "--name", "Shop"]);
        assert_eq!(said.code, code, "{}", said.stderr);
        assert!(said.stderr.contains(expected) && !said.stderr.contains("hush"), "{}", said.stderr);
    }
}

#[test]
fn a_database_moves_into_postgres_and_goes_on_working() {
    let Some(database) = database() else { return };
    let place = Place::new();
    let served = place.serve(&[]);
    let said = served.stop();
    let (key, operator) = (shown(&said.stdout, "API key").to_owned(), shown(&said.stdout, "operator key").to_owned());
    let served = place.serve(&[]);
    let account = place.json(&["account", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    let endpoint = json!({"url": "http://127.0.0.1:9/hooks", "events": ["message.*"], "verify": false});
    let (status, made) = http("POST", &format!("{}/v1/accounts/{account}/endpoints", served.url), &operator, Some(&endpoint));
    assert_eq!(status, 201, "{made}");
    for person in 0..12 {
        let (status, answer) = send(&served.url, &key, if person % 3 == 0 { 0 } else { 30 }, &format!("+99950123{person:04}"));
        assert!(matches!(status, 200 | 202), "{status} {answer}");
    }
    place.json(&["suppress", "add", "+999501239999", "--note", "asked by phone: \u{2713}"]);
    served.stop();
    let before = place.json(&["message", "list", "--limit", "100"]);

    let arguments = ["store", "copy", "--from", "sqlite:data/gatepost.db", "--to", &database.url()];
    let copied = place.json(&arguments);
    let tables = copied["items"].as_array().unwrap();
    assert!(tables.iter().all(|table| table["same"] == true), "{copied:#}");
    let rows = |name: &str| tables.iter().find(|table| table["table"] == name).unwrap()["rows_to"].as_u64().unwrap();
    assert_eq!((rows("accounts"), rows("messages"), rows("suppressions")), (1, 12, 1));
    assert!(rows("api_keys") >= 2 && rows("policy_events") >= 12 && rows("event_deliveries") >= 12, "{copied:#}");

    let again = place.run(&arguments);
    assert_eq!(again.code, 3);
    assert!(again.stderr.contains("gatepost.db: its rows were copied to postgres://"), "{}", again.stderr);
    assert_eq!(json_in(&place, &database.url(), &["message", "list", "--limit", "100"]), before);
    assert_eq!(in_database(&place, &database.url(), &["audit", "verify"]).code, 0);

    let moved = place.serve(&["--database", &database.url()]);
    let (status, sent) = send(&moved.url, &key, 30, "+999501234567");
    assert_eq!((status, sent["status"].as_str()), (200, Some("sent")), "{sent}");
    let (status, refused) = send(&moved.url, &key, 30, "+999501239999");
    assert_ne!(status, 200, "who is suppressed stays so: {refused}");
    assert_eq!(json_in(&place, &database.url(), &["usage"])["live"]["day"]["used"], 13);
    assert_eq!(moved.stop().code, 0);
}

fn copy(to: &str) -> [&str; 6] {
    ["store", "copy", "--from", "sqlite:data/gatepost.db", "--to", to]
}

/// How many rows the tables of a target hold that a copy would fill first and last; it has none where nobody has made them.
fn rows(database: &Database<'_>) -> Vec<Option<String>> {
    database
        .run("SELECT (SELECT count(*) FROM accounts) + (SELECT count(*) FROM policy_events) + (SELECT count(*) FROM roots)")
        .unwrap()
        .concat()
}

fn nothing() -> Vec<Option<String>> {
    vec![Some("0".to_owned())]
}

/// A server that has nothing to do writes nothing, and would go on taking messages afterwards.
#[test]
fn a_database_whose_server_runs_does_not_move() {
    let Some(database) = database() else { return };
    let place = Place::new();
    let idle = place.serve(&[]);
    let refused = place.run(&copy(&database.url()));
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("somebody else has the database open: stop its server"), "{}", refused.stderr);
    idle.stop();
    place.json(&copy(&database.url()));
}

#[test]
fn a_database_that_has_moved_is_not_served_until_somebody_calls_it_back() {
    let Some(database) = database() else { return };
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let url = database.url();
    let password = url.split([':', '@']).nth(2).unwrap();
    place.json(&copy(&url));
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["account", "list"], &["backup", "copy.db"]] {
        let refused = place.run(arguments);
        assert_eq!(refused.code, 3, "{arguments:?}");
        assert!(refused.stderr.contains("its rows were copied to postgres://"), "{}", refused.stderr);
        assert!(refused.stderr.contains("`gatepost-server store reopen --from 'sqlite:data/gatepost.db'`"), "{}", refused.stderr);
        assert!(!refused.stderr.contains(password), "{}", refused.stderr);
    }
    let called_back = place.run(&["store", "reopen", "--from", "sqlite:data/gatepost.db"]).ok();
    assert!(called_back.contains("data/gatepost.db can be opened again"), "{called_back}");
    assert!(place.run(&["store", "reopen"]).ok().contains("was not moved"));
    assert_eq!(place.json(&["account", "list"])["items"][0]["name"], "Shop");
}

/// It would deliver each row of a queue as it arrives.
#[test]
fn a_database_in_which_a_server_runs_is_no_target() {
    let Some(database) = database() else { return };
    let (source, target) = (Place::new(), Place::new());
    source.json(&["account", "create", "--name", "Shop"]);
    fs::write(target.path("gatepost.toml"), "mode = \"production\"\n").unwrap();
    let idle = target.serve(&["--database", &database.url()]);
    let refused = source.run(&copy(&database.url()));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("the target holds rows"), "{}", refused.stderr);
    assert_eq!(idle.stop().code, 0);
    assert_eq!(source.json(&["account", "list"])["items"][0]["name"], "Shop", "the source stays where it is");
}

#[test]
fn a_copy_that_dies_halfway_leaves_nothing_and_the_source_as_it_was() {
    let Some(database) = database() else { return };
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    place.json(&["key", "create", "--operator", "--name", "first"]);
    migrate(&database.url(), &Options::default()).unwrap();
    database.run("CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'").unwrap();
    let at_a_row = "CREATE TRIGGER fail BEFORE INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION fail()";
    let at_the_commit = "CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON api_keys DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail()";
    for (trigger, table) in [(at_a_row, "`api_keys`: "), (at_the_commit, "")] {
        database.run(trigger).unwrap();
        let failed = place.run(&copy(&database.url()));
        assert_eq!(failed.code, 3);
        let expected = format!("error: {table}the store is not available: the server said P0001");
        assert!(failed.stderr.contains(&expected), "{}", failed.stderr);
        assert_eq!(rows(&database), nothing());
        assert_eq!(place.json(&["account", "list"])["items"][0]["name"], "Shop", "the source is not moved");
        database.run("DROP TRIGGER fail ON api_keys").unwrap();
    }
    place.json(&copy(&database.url()));
    assert_eq!(json_in(&place, &database.url(), &["account", "list"])["items"][0]["name"], "Shop");
}

#[test]
fn a_copy_that_is_not_the_same_is_not_left_there() {
    let Some(database) = database() else { return };
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    migrate(&database.url(), &Options::default()).unwrap();
    database
        .run(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.name := ''Shed''; RETURN NEW; END';
             CREATE TRIGGER spoil BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION spoil()",
        )
        .unwrap();
    let said = place.run(&[&copy(&database.url())[..], &["--json"]].concat());
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stderr.contains("1 tables were not the same, so that nothing was moved"), "{}", said.stderr);
    let compared: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&compared["items"][0]["table"], &compared["items"][0]["same"]), (&json!("accounts"), &json!(false)));
    assert_eq!(rows(&database), nothing());
    assert_eq!(place.json(&["account", "list"])["items"][0]["name"], "Shop", "the source is not moved");
}

/// The server in the Postgres would be started with it.
#[test]
fn a_database_moves_only_with_its_keyring() {
    let Some(database) = database() else { return };
    let (place, other) = (Place::new(), Place::new());
    for place in [&place, &other] {
        place.json(&["account", "create", "--name", "Shop"]);
    }
    fs::copy(other.data().join("keys.toml"), place.path("keys.toml")).unwrap();
    fs::write(place.path("gatepost.toml"), "keys_file = \"keys.toml\"\n").unwrap();
    let refused = place.run(&copy(&database.url()));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("keys.toml: expected another root 1"), "{}", refused.stderr);
    fs::remove_file(place.path("keys.toml")).unwrap();
    let without = place.run(&copy(&database.url()));
    assert_eq!(without.code, 2);
    assert!(without.stderr.contains("the keyring is missing"), "{}", without.stderr);
    assert_eq!(database.run("SELECT 1 FROM pg_tables WHERE tablename = 'accounts'").unwrap().len(), 0);
}

/// The owner of the settings' database would migrate that one, and grant its tables to a role that the copy is not for.
#[test]
fn a_copy_to_another_database_has_nothing_to_do_with_the_owner_of_the_settings() {
    let (Some(own), Some(other)) = (database(), database()) else { return };
    let place = Place::new();
    place.json(&["account", "create", "--name", "Shop"]);
    let name = other.name();
    let roles = format!(
        "CREATE ROLE {name}_owner LOGIN PASSWORD 'o'; CREATE ROLE {name}_app LOGIN PASSWORD 'a'; GRANT ALL ON SCHEMA public TO {name}_owner"
    );
    other.run(&roles).unwrap();
    let (owner, app) = (other.url_as(&format!("{name}_owner"), "o"), other.url_as(&format!("{name}_app"), "a"));
    let copy = |further: &[&str]| {
        let mut command = place.command(&[&copy(&app)[..], further].concat());
        command.env("GATEPOST_DATABASE_URL", own.url()).env("GATEPOST_DATABASE_OWNER_URL", own.url());
        run(command, "")
    };
    let alone = copy(&[]);
    assert_eq!(alone.code, 3);
    assert!(alone.stderr.contains("it has to be migrated, which its owner must do"), "{}", alone.stderr);
    assert_eq!(own.run("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").unwrap().len(), 0, "nothing was made elsewhere");

    copy(&["--to-owner", &owner]).ok();
    assert_eq!(other.run("SELECT name FROM accounts").unwrap().concat(), [Some("Shop".to_owned())]);
    assert_eq!(own.run("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").unwrap().len(), 0, "nothing was made elsewhere");
    other.run(&format!("DROP OWNED BY {name}_owner, {name}_app; DROP ROLE {name}_owner, {name}_app")).unwrap();

    assert_eq!(place.run(&["store", "copy", "--to-owner", &owner]).code, 2, "the owner of what?");
}

#[test]
fn a_copy_needs_a_file_and_a_target() {
    let place = Place::new();
    let absent = place.run(&["store", "copy", "--from", "sqlite:nowhere.db", "--to", "postgres://gate:hush@127.0.0.1:1/post"]);
    assert_eq!(absent.code, 3);
    assert!(absent.stderr.contains("nowhere.db: there is no such file"), "{}", absent.stderr);
    place.json(&["account", "create", "--name", "Shop"]);
    let target = place.run(&["store", "copy"]);
    assert_eq!(target.code, 2);
    assert!(target.stderr.contains("the target is missing"), "{}", target.stderr);
    let wrong = place.run(&["store", "copy", "--to", "mysql://gate:hush@127.0.0.1/post"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("`--to`") && !wrong.stderr.contains("hush"), "{}", wrong.stderr);
}
