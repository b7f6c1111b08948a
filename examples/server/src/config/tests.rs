//! Settings from each source, and what is wrong with them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::*;

type Flag = (&'static str, &'static str, String);
type Variable = (&'static str, &'static str);

/// Reads a file of this text, these variables and these flags.
fn read(file: &str, variables: &[(&str, &str)], flags: &[Flag]) -> Result<Effective, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatepost.toml");
    fs::write(&path, file).unwrap();
    let environment = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let read = Layers::read(Some(&path), environment, flags.iter().cloned());
    read.map_err(|error| error.to_string().replace(&path.display().to_string(), "gatepost.toml"))
}

fn source(effective: &Effective, key: &str) -> String {
    effective.rows().into_iter().find(|row| row.key == key).unwrap().source
}

#[test]
fn the_example_file_documents_every_setting_with_its_default() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("gatepost.toml");
    let effective = Layers::read(Some(&path), [], []).unwrap();
    assert_eq!(effective.settings, Settings::default());
    let missing: Vec<_> = effective.rows().into_iter().filter(|row| row.source == "default").map(|row| row.key).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_setting_is_in_the_table_of_keys() {
    let rows = Layers::read(None, [], []).unwrap().rows();
    assert_eq!(rows.len(), KEYS.len());
    let leaves = toml::to_string(&Settings::default()).unwrap().lines().filter(|line| line.contains(" = ")).count();
    assert_eq!(rows.len(), leaves);
}

#[test]
fn a_stronger_source_wins() {
    let file = "listen = \"127.0.0.1:1\"\ndata = \"one\"\nbrand = \"one\"\n[log]\nlevel = \"warn\"\n";
    let variables = [("GATEPOST_LISTEN", "127.0.0.1:2"), ("GATEPOST_DATA", "two")];
    let flags = [("listen", "listen", "127.0.0.1:3".to_owned())];
    let effective = read(file, &variables, &flags).unwrap();

    assert_eq!(effective.settings.listen.port(), 3);
    assert_eq!(effective.settings.data, Path::new("two"));
    assert_eq!(effective.settings.brand.value().as_str(), "one");
    assert_eq!(source(&effective, "listen"), "--listen");
    assert_eq!(source(&effective, "data"), "GATEPOST_DATA");
    assert!(source(&effective, "brand").ends_with("gatepost.toml"));
    assert_eq!(source(&effective, "mode"), "default");
}

#[test]
fn variables_are_read_as_what_they_set() {
    let variables = [
        ("GATEPOST_DELIVERING_IN_FLIGHT_MAX", "64"),
        ("GATEPOST_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"),
        ("GATEPOST_DESTINATIONS_PORTS", "443, 9443"),
        ("GATEPOST_DESTINATIONS_DENY", "198.51.100.0/24"),
        ("GATEPOST_WEBHOOKS_VERIFY", "false"),
        ("GATEPOST_SANDBOX_FAIL", "refuse"),
        ("GATEPOST_MODE", ""),
        ("GATEPOST_PORT_8080_TCP_ADDR", "10.0.0.7"),
        ("PATH", "/bin"),
    ];
    let settings = read("", &variables, &[]).unwrap().settings;
    assert_eq!(settings.delivering().in_flight_max, 64);
    assert_eq!(settings.destinations.ports, [443, 9443]);
    assert_eq!(settings.destinations.deny.len(), 1);
    assert!(!settings.webhooks.verify);
    assert_eq!(settings.trusted_proxies.len(), 2);
    assert!(settings.sandbox.fail.is_some());
    assert_eq!(settings.mode, Mode::Development);
}

#[test]
fn a_mistyped_level_is_refused() {
    let level = |level: &str| read(&format!("[log]\nlevel = \"{level}\""), &[], &[]).map(drop).map_err(|error| error.to_string());
    for good in ["info", "WARN", "off", "debug,gatepost_server=trace", "gatepost_http=debug", "info,gatepost[span]=debug"] {
        assert_eq!(level(good), Ok(()), "{good}");
    }
    for bad in ["inf", "info,gatepost", "gatepost_server=loud"] {
        assert!(level(bad).is_err_and(|error| error.contains("log.level")), "{bad}");
    }
}

#[test]
fn a_secret_comes_from_its_file_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "wg_op_from_the_file\n").unwrap();
    let variables = [("GATEPOST_KEY", "wg_op_weaker"), ("GATEPOST_KEY_FILE", path.to_str().unwrap())];
    let effective = read("key = \"wg_op_weakest\"", &variables, &[]).unwrap();

    assert_eq!(effective.settings.key.as_ref().unwrap().reveal(), "wg_op_from_the_file");
    assert_eq!(source(&effective, "key"), "GATEPOST_KEY_FILE");
    let shown = format!("{effective:?} {:?} {}", effective.rows(), serde_json::to_string(&effective.rows()).unwrap());
    assert!(!shown.contains("wg_op"), "{shown}");
    assert!(shown.contains("***"));
}

#[test]
fn an_error_names_the_setting_and_the_source() {
    let cases: &[(&str, &[Variable], &[Flag], &str)] = &[
        ("mode = \"prod\"", &[], &[], "`mode` from gatepost.toml: expected `development` or `production`"),
        (
            "[log]\nlevle = \"info\"",
            &[],
            &[],
            "`log.levle` from gatepost.toml: there is no such setting; `gatepost-server config check` shows them all",
        ),
        ("log = \"info\"", &[], &[], "`log` from gatepost.toml: there is no such setting; `gatepost-server config check` shows them all"),
        ("key = 7", &[], &[], "`key` from gatepost.toml: expected an API key or an operator key"),
        ("mode = \"production\"\nmode", &[], &[], "gatepost.toml: line 2 is not TOML: key with no value, expected `=`"),
        (
            "",
            &[("GATEPOST_DELIVERING_SEND_TIMEOUT_SECONDS", "0")],
            &[],
            "`delivering.send_timeout_seconds` from GATEPOST_DELIVERING_SEND_TIMEOUT_SECONDS: expected a whole number from 1 to 300",
        ),
        (
            "",
            &[("GATEPOST_LISTENS", "x")],
            &[],
            "GATEPOST_LISTENS: there is no such setting; `gatepost-server config check` shows them all",
        ),
        ("", &[("GATEPOST_URL", "ftp://x")], &[], "`url` from GATEPOST_URL: expected a URL that starts with `http://` or `https://`"),
        (
            "",
            &[],
            &[("listen", "listen", "8080".to_owned())],
            "`listen` from --listen: expected an IP address and a port, for example `127.0.0.1:8080`",
        ),
        (
            "listen = \"0.0.0.0:8080\"",
            &[],
            &[],
            "`listen` from gatepost.toml: expected a loopback address, for example `127.0.0.1:8080`, because `mode` is `development`",
        ),
        ("[webhooks]\nverify = \"no\"", &[], &[], "`webhooks.verify` from gatepost.toml: expected `true` or `false`"),
        ("", &[("GATEPOST_WEBHOOKS_VERIFY", "no")], &[], "`webhooks.verify` from GATEPOST_WEBHOOKS_VERIFY: expected `true` or `false`"),
        (
            "[webhooks]\ntimeout_seconds = 31",
            &[],
            &[],
            "`webhooks.timeout_seconds` from gatepost.toml: expected a whole number from 1 to 30",
        ),
        (
            "[destinations]\nports = [443, 70000]",
            &[],
            &[],
            "`destinations.ports` from gatepost.toml: expected a list of ports from 1 to 65535",
        ),
        ("[destinations]\nports = [0]", &[], &[], "`destinations.ports` from gatepost.toml: expected ports from 1 to 65535, at least one"),
        (
            "[destinations]\nallow = [\"10.0.0.0/7\"]",
            &[],
            &[],
            "`destinations.allow` from gatepost.toml: expected a prefix of at least 8 bits in place of `10.0.0.0/7`",
        ),
        (
            "[destinations]\ndeny = [\"198.51.100.1/24\"]",
            &[],
            &[],
            "`destinations.deny` from gatepost.toml: expected `198.51.100.0/24` in place of `198.51.100.1/24`, whose address goes beyond its prefix",
        ),
        (
            "",
            &[("GATEPOST_DESTINATIONS_NAT64", "10.0.0.0/8")],
            &[],
            "`destinations.nat64` from GATEPOST_DESTINATIONS_NAT64: expected an IPv6 prefix of a translator, 32, 40, 48, 56, 64 or 96 bits \
             long, for example `64:ff9b::/96`, in place of `10.0.0.0/8`",
        ),
        (
            "[policy]\nblock_from = 40",
            &[],
            &[],
            "`policy.block_from` from gatepost.toml: expected at least `policy.review_from`, which is 50",
        ),
    ];
    for (file, variables, flags, expected) in cases {
        assert_eq!(read(file, variables, flags).map(|_| ()), Err((*expected).to_owned()));
    }
}

#[test]
fn destinations_follow_the_mode_and_what_is_set() {
    let policy = |file: &str| read(file, &[], &[]).unwrap().settings.destination_policy().unwrap();
    assert_eq!(policy(""), DestinationPolicy::development());
    assert_eq!(policy("mode = \"production\""), DestinationPolicy::production());
    let set = policy("mode = \"production\"\n[destinations]\nports = [443]\nallow = [\"10.20.0.0/16\"]\nnat64 = [\"64:ff9b::/96\"]");
    let expected = DestinationPolicy::production().with_ports([443]).unwrap().with_allow(["10.20.0.0/16".parse().unwrap()]).unwrap();
    assert_eq!(set, expected.with_nat64(["64:ff9b::/96".parse().unwrap()]).unwrap());
}

#[test]
fn production_listens_anywhere() {
    assert!(read("mode = \"production\"\nlisten = \"0.0.0.0:8080\"", &[], &[]).is_ok());
}

#[test]
fn a_named_file_must_be_there() {
    let error = Layers::read(Some(Path::new("absent.toml")), [], []).unwrap_err().to_string();
    assert!(error.starts_with("absent.toml: cannot be read:"), "{error}");
    let variables = [("GATEPOST_CONFIG".into(), "absent.toml".into())];
    assert_eq!(Layers::read(None, variables, []).unwrap_err().to_string(), error);
}

#[test]
fn what_is_older_than_its_days_is_forgotten() {
    let noon: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let retention = RetentionSettings::default().at(noon);
    assert_eq!(retention.content_before.to_string(), "2026-10-23T12:00:00Z");
    assert_eq!(retention.logs_before.to_string(), "2025-10-22T12:00:00Z");
    assert_eq!(retention.raw_before.to_string(), "2026-11-14T12:00:00Z");
}

#[test]
fn the_text_of_a_broken_file_is_not_quoted() {
    for file in ["key = \"wg_op_secret", "key = wg_op_secret", "key == \"wg_op_secret\"", "wg_op_secret"] {
        let error = read(file, &[], &[]).map(|_| ()).unwrap_err();
        assert!(!error.contains("wg_op"), "{error}");
        assert!(error.starts_with("gatepost.toml: line 1 is not TOML: "), "{error}");
    }
}

#[test]
fn no_variable_names_two_settings() {
    let mut names = BTreeMap::new();
    for key in KEYS {
        let variable = layers::variable_name(key.name);
        assert_eq!(names.insert(variable, key.name), None);
    }
}

#[test]
fn an_evolution_api_in_a_private_network_is_allowed_by_its_host_and_its_block() {
    let file = "mode = \"production\"\n[providers]\nevolution_hosts = [\"evolution.internal\", \"10.20.0.8\"]\n\
                allow = [\"10.20.0.0/16\"]\nports = [8443]\n[destinations]\ndeny = [\"10.20.0.9/32\"]\n";
    let settings = read(file, &[], &[]).unwrap().settings;
    let (providers, events) = (settings.provider_policy().unwrap(), settings.destination_policy().unwrap());
    let judged = |url: &str, answer: &str| {
        let destination = providers.parse(url).map_err(|refusal| refusal.class())?;
        providers.judge(&destination, &[answer.parse().unwrap()]).map(drop).map_err(|refusal| refusal.class())
    };
    assert_eq!(judged("https://evolution.internal:8443", "10.20.0.7"), Ok(()));
    assert_eq!(judged("https://10.20.0.8:8443", "10.20.0.8"), Ok(()));
    assert!(judged("https://evolution.internal:8443", "10.20.0.9").is_err(), "what is closed to events is closed to providers");
    assert!(judged("https://evolution.internal", "10.20.0.7").is_err(), "the port is not listed");
    assert!(events.parse("https://evolution.internal").is_err() && events.parse("https://10.20.0.8").is_err(), "events go elsewhere");
}

#[test]
fn settings_of_providers_that_cannot_be_are_refused() {
    for (file, expected) in [
        (
            "[providers]\nallow = [\"10.20.0.0/16\"]\n",
            "`providers.allow` from gatepost.toml: expected `providers.evolution_hosts` beside it",
        ),
        (
            "[providers]\nallow = [\"10.20.0.7/16\"]\nevolution_hosts = [\"10.20.0.7\"]\n",
            "`providers.allow` from gatepost.toml: expected `10.20.0.0/16`",
        ),
        (
            "[providers]\nevolution_hosts = [\"http://evolution\"]\n",
            "`providers.evolution_hosts` from gatepost.toml: expected names of hosts",
        ),
        ("[providers]\nevolution_hosts = [\"metadata.google.internal\"]\n", "`providers.evolution_hosts` from gatepost.toml: "),
        ("[providers]\nports = [0]\n", "`providers.ports` from gatepost.toml: expected ports from 1 to 65535"),
        ("[providers]\ngraph_url = \"graph.example.com\"\n", "`providers.graph_url` from gatepost.toml: expected a URL that starts with"),
        ("public_url = \"gateway.example.com\"\n", "`public_url` from gatepost.toml: expected a URL that starts with"),
    ] {
        let refused = read(file, &[], &[]).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn a_database_url_is_shown_without_its_password_and_read_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    fs::write(&path, "postgres://gate:hush@db.example/post\n").unwrap();
    let variables =
        [("GATEPOST_DATABASE_URL", "postgres://weaker@db.example/post"), ("GATEPOST_DATABASE_URL_FILE", path.to_str().unwrap())];
    let effective = read("[database]\nconnections = 7\nowner_url = \"postgres://owner:hush@db.example/post\"\n", &variables, &[]).unwrap();
    let database = &effective.settings.database;
    assert_eq!(database.url.as_ref().unwrap().reveal(), "postgres://gate:hush@db.example/post");
    let options = database.options();
    assert_eq!((options.connections, options.owner_url.as_deref()), (7, Some("postgres://owner:hush@db.example/post")));
    assert_eq!(source(&effective, "database.url"), "GATEPOST_DATABASE_URL_FILE");
    let shown = format!("{effective:?} {:?} {}", effective.rows(), serde_json::to_string(&effective.rows()).unwrap());
    assert!(shown.contains("postgres://gate@db.example:5432/post") && !shown.contains("hush"), "{shown}");
}

#[test]
fn a_database_that_cannot_be_is_refused_without_its_password() {
    for (file, expected) in [
        ("url = \"mysql://gate:hush@db.example/post\"", "`database.url` from gatepost.toml: expected a URL like `postgres://"),
        ("url = \"postgres://gate:hush@db.example:port/post\"", "`database.url` from gatepost.toml: expected a URL like `postgres://"),
        ("url = \"postgres://gate:hush@db.example/post?sslmode=prefer\"", "no `sslmode` but `disable`, `require` or `verify-full`"),
        (
            "owner_url = \"postgres://gate:hush@db.example/post\"",
            "`database.owner_url` from gatepost.toml: expected `database.url` beside it",
        ),
        ("role = \"\"", "`database.role` from gatepost.toml: expected the name of a role"),
        ("connections = 1", "`database.connections` from gatepost.toml: expected a whole number from 2 to 1000"),
    ] {
        let refused = read(&format!("[database]\n{file}\n"), &[], &[]).unwrap_err();
        assert!(refused.contains(expected) && !refused.contains("hush"), "{refused}");
    }
}
