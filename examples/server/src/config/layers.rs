//! Layers: the sources of settings, laid one over the other.
//!
//! Each value is checked as it is laid, on top of the defaults, so that an error can name the setting and the source. An error
//! never shows the value: it may be a secret in the wrong place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{KEYS, Key, SECRETS, Settings, broken_rule};

const FILE_DEFAULT: &str = "gatepost.toml";
const PREFIX: &str = "GATEPOST_";
/// Names the file of settings.
const FILE_VARIABLE: &str = "GATEPOST_CONFIG";

/// Where a value comes from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A file of settings.
    File(PathBuf),
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Variable(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Flag(flag) => write!(f, "--{flag}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// A setting that cannot be, or a source that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    key: Option<String>,
    source: Source,
    problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "`{key}` from {}: {}", self.source, self.problem),
            None => write!(f, "{}: {}", self.source, self.problem),
        }
    }
}

impl std::error::Error for ConfigError {}

/// The settings that came of all sources.
#[derive(Clone, Debug)]
pub struct Effective {
    /// What is set.
    pub settings: Settings,
    sources: BTreeMap<String, Source>,
}

/// One setting as `config check` shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name.
    pub key: &'static str,
    /// Its value; a secret is `***`.
    pub value: Value,
    /// Where it comes from.
    pub source: String,
}

impl Effective {
    /// Every setting, in the order of the documentation.
    pub fn rows(&self) -> Vec<Row> {
        let values = leaves(&table_of(&self.settings));
        let row = |key: &Key| {
            let value = values.get(key.name)?.clone();
            let source = self.sources.get(key.name).unwrap_or(&Source::Default).to_string();
            Some(Row { key: key.name, value, source })
        };
        KEYS.iter().filter_map(row).collect()
    }
}

/// Settings under way: what was laid so far.
#[derive(Clone, Debug)]
pub struct Layers {
    defaults: Table,
    table: Table,
    sources: BTreeMap<String, Source>,
}

impl Default for Layers {
    fn default() -> Self {
        let defaults = table_of(&Settings::default());
        Self { table: defaults.clone(), defaults, sources: BTreeMap::new() }
    }
}

impl Layers {
    /// Reads all sources: the file that `--config` or `GATEPOST_CONFIG` names, or `gatepost.toml` where there is one; the
    /// environment; the flags.
    pub fn read(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        flags: impl IntoIterator<Item = (&'static str, &'static str, String)>,
    ) -> Result<Effective, ConfigError> {
        let variables = variables(environment)?;
        let named = file.map(Path::to_owned).or_else(|| variables.get(FILE_VARIABLE).map(PathBuf::from));
        let mut layers = Self::default();
        match named {
            Some(path) => layers.lay_file(&path)?,
            None if Path::new(FILE_DEFAULT).exists() => layers.lay_file(Path::new(FILE_DEFAULT))?,
            None => {}
        }
        layers.lay_variables(&variables)?;
        for (key, flag, text) in flags {
            layers.lay_text(key, &text, Source::Flag(flag))?;
        }
        layers.settle()
    }

    /// Lays a file of settings.
    pub fn lay_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let source = Source::File(path.to_owned());
        let text = fs::read_to_string(path).map_err(|error| unreadable(source.clone(), &error))?;
        let table: Table = text.parse().map_err(|error| malformed(source.clone(), &text, &error))?;
        for (key, value) in leaves(&table) {
            self.lay(&key, value, source.clone())?;
        }
        Ok(())
    }

    /// Lays the variables whose names start with `GATEPOST_`.
    pub fn lay_variables(&mut self, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
        let mut secrets = Vec::new();
        for (name, text) in variables {
            if let Some(key) = KEYS.iter().find(|key| variable_name(key.name) == *name) {
                self.lay_text(key.name, text, Source::Variable(name.clone()))?;
            } else if let Some(key) = SECRETS.iter().find(|key| variable_name(key) + "_FILE" == *name) {
                secrets.push((key, name, text));
            } else if name != FILE_VARIABLE && !is_of_kubernetes(name) {
                return Err(ConfigError { key: None, source: Source::Variable(name.clone()), problem: NO_SUCH_SETTING.to_owned() });
            }
        }
        secrets.into_iter().try_for_each(|(key, name, path)| self.lay_secret(key, name, path))
    }

    /// Lays the secret that stands in a file; white space around it does not count.
    fn lay_secret(&mut self, key: &str, variable: &str, path: &str) -> Result<(), ConfigError> {
        let source = Source::Variable(variable.to_owned());
        let text = fs::read_to_string(path).map_err(|error| unreadable(source.clone(), &error))?;
        self.lay_text(key, text.trim(), source)
    }

    /// Lays a value that is only known as text: it becomes what the default is.
    fn lay_text(&mut self, key: &str, text: &str, source: Source) -> Result<(), ConfigError> {
        let value = match get(&self.defaults, key) {
            Some(Value::Integer(_)) => text.parse().map_or_else(|_| Value::from(text), Value::Integer),
            Some(Value::Boolean(_)) => text.parse().map_or_else(|_| Value::from(text), Value::Boolean),
            Some(Value::Array(_)) => Value::Array(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(item).collect()),
            _ => Value::from(text),
        };
        self.lay(key, value, source)
    }

    /// Lays one value, if the defaults with this value are settings.
    fn lay(&mut self, name: &str, value: Value, source: Source) -> Result<(), ConfigError> {
        let Some(key) = KEYS.iter().find(|key| key.name == name) else {
            return Err(ConfigError { key: Some(name.to_owned()), source, problem: NO_SUCH_SETTING.to_owned() });
        };
        let mut alone = self.defaults.clone();
        put(&mut alone, name, value.clone());
        if Settings::deserialize(alone).is_err() {
            let problem = format!("expected {}", key.expected);
            return Err(ConfigError { key: Some(name.to_owned()), source, problem });
        }
        put(&mut self.table, name, value);
        self.sources.insert(name.to_owned(), source);
        Ok(())
    }

    /// The settings, if they go together.
    pub fn settle(self) -> Result<Effective, ConfigError> {
        let Self { table, sources, .. } = self;
        let settings = Settings::deserialize(table).map_err(|error| ConfigError {
            key: None,
            source: Source::Default,
            problem: error.message().to_owned(),
        })?;
        match broken_rule(&settings) {
            None => Ok(Effective { settings, sources }),
            Some((key, problem)) => {
                let source = sources.get(key).cloned().unwrap_or(Source::Default);
                Err(ConfigError { key: Some(key.to_owned()), source, problem })
            }
        }
    }
}

const NO_SUCH_SETTING: &str = "there is no such setting; `gatepost-server config check` shows them all";

/// An item of a list: a number where it looks like one.
fn item(text: &str) -> Value {
    text.parse().map_or_else(|_| Value::from(text), Value::Integer)
}

/// The variable of a setting: `log.level` is `GATEPOST_LOG_LEVEL`.
pub(super) fn variable_name(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

/// The variables that concern us. One that is empty counts as absent.
fn variables(environment: impl IntoIterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut ours = BTreeMap::new();
    for (name, value) in environment {
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        let Ok(value) = value.into_string() else {
            return Err(ConfigError { key: None, source: Source::Variable(name.to_owned()), problem: "expected UTF-8".to_owned() });
        };
        if !value.is_empty() {
            ours.insert(name.to_owned(), value);
        }
    }
    Ok(ours)
}

/// Kubernetes sets these in every pod beside a service that is called `gatepost`.
fn is_of_kubernetes(name: &str) -> bool {
    name == "GATEPOST_PORT" || ["GATEPOST_PORT_", "GATEPOST_SERVICE_"].iter().any(|start| name.starts_with(start))
}

fn unreadable(source: Source, error: &io::Error) -> ConfigError {
    ConfigError { key: None, source, problem: format!("cannot be read: {error}") }
}

/// Where the text stops being TOML. The parser's own display would show the line, and with it perhaps a secret.
fn malformed(source: Source, text: &str, error: &toml::de::Error) -> ConfigError {
    ConfigError { key: None, source, problem: format!("line {} is not TOML: {}", line_of(text, error), error.message()) }
}

/// The line that an error speaks of, from 1 on.
pub(crate) fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let start = error.span().map_or(0, |span| span.start);
    1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count()
}

fn table_of(settings: &Settings) -> Table {
    // A struct of texts, numbers and lists always has a table.
    Table::try_from(settings).unwrap_or_default()
}

/// Every value with its path: `[log] level` is `log.level`.
fn leaves(table: &Table) -> BTreeMap<String, Value> {
    let mut leaves = BTreeMap::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => leaves.extend(self::leaves(inner).into_iter().map(|(path, value)| (format!("{name}.{path}"), value))),
            value => _ = leaves.insert(name.clone(), value.clone()),
        }
    }
    leaves
}

fn get<'a>(table: &'a Table, path: &str) -> Option<&'a Value> {
    match path.split_once('.') {
        Some((section, key)) => table.get(section)?.get(key),
        None => table.get(path),
    }
}

fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        Some((section, key)) => {
            if let Some(Value::Table(section)) = table.get_mut(section) {
                section.insert(key.to_owned(), value);
            }
        }
        None => _ = table.insert(path.to_owned(), value),
    }
}
