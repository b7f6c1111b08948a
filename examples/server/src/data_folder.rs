//! Data folder: what a gateway keeps on this machine, the database `gatepost.db` and the keyring.
//!
//! [`DataFolder::make`] makes both on first start; [`DataFolder::open`] opens what is there. A keyring is made only beside a database
//! that does not exist yet: a new one beside an old database would refuse every key without a word.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::{Gateway, Host, Keyring, Provider, Sealer, Store};
use gatepost_sqlite::SqliteStore;
use gatepost_system::System;

use crate::config::{Mode, Settings};
use crate::keys_file::KeysFile;
use crate::providers::Providers;
use crate::{Failure, phone_systems, private_file, webhooks};

/// Where database and keyring are.
#[derive(Clone, Debug)]
pub struct DataFolder {
    folder: PathBuf,
    keys: KeysFile,
    mode: Mode,
}

/// A database and its keyring, opened.
pub struct Opened {
    /// The database.
    pub store: SqliteStore,
    /// The keyring.
    pub keyring: Keyring,
}

impl DataFolder {
    /// The folder that the settings name.
    pub fn of(settings: &Settings) -> Self {
        let keys = settings.keys_file.clone().unwrap_or_else(|| settings.data.join("keys.toml"));
        Self { folder: settings.data.clone(), keys: KeysFile::at(keys), mode: settings.mode }
    }

    /// The keyring's file.
    pub fn keys(&self) -> &KeysFile {
        &self.keys
    }

    /// Opens the folder; makes it, with an empty database and a keyring, where it does not exist.
    pub async fn make(&self) -> Result<Opened, Failure> {
        private_file::create_folder(&self.folder).map_err(|error| self.unavailable(&error))?;
        if !self.database().exists() {
            self.keys.ensure(&System)?;
            self.make_database().map_err(|error| self.unavailable(&error))?;
        }
        self.open_database().await
    }

    /// Opens the folder, if it holds a database.
    pub async fn open(&self) -> Result<Opened, Failure> {
        if !self.database().exists() {
            let problem = format!("{}: holds no database; `gatepost-server serve` makes it", self.folder.display());
            return Err(Failure::Unavailable(problem));
        }
        self.open_database().await
    }

    /// Makes an empty file for the database: SQLite gives the files beside it the same mode.
    fn make_database(&self) -> io::Result<()> {
        match private_file::create(&self.database()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn database(&self) -> PathBuf {
        self.folder.join("gatepost.db")
    }

    async fn open_database(&self) -> Result<Opened, Failure> {
        let (keyring, numbers) = self.keys.read()?;
        match self.mode {
            Mode::Production => self.keys.refuse_exposed()?,
            Mode::Development => {}
        }
        let store = SqliteStore::open(&self.database(), gatepost_sqlite::Options::default()).map_err(|error| self.unavailable(&error))?;
        let named = store.operator().roots().await?;
        match named.iter().find(|root| !numbers.contains(root)) {
            Some(root) => Err(Failure::Usage(absent_root(self.keys.path(), *root))),
            None => Ok(Opened { store, keyring }),
        }
    }

    fn unavailable(&self, error: &dyn std::error::Error) -> Failure {
        Failure::Unavailable(format!("{}: {error}", self.folder.display()))
    }
}

impl Opened {
    /// Who seals the policy events of the database.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(Arc::new(self.store.clone()), self.keyring.clone(), &System)
    }

    /// A gateway over the database, as it is set, and the providers that it sends by; it listens, or would, at `address`.
    pub fn gateway(&self, settings: &Settings, address: SocketAddr) -> Result<(Gateway, Providers), Failure> {
        let host: Arc<dyn Host> = Arc::new(System);
        let webhooks = webhooks::of(settings, self.keyring.clone(), host.clone())?;
        let phone_systems = phone_systems::of(settings, settings.public_url_at(address), self.keyring.clone(), host.clone())?;
        let providers = Providers::of(settings, self.store.worker(), self.keyring.clone(), host.clone())?;
        let mut builder = Gateway::builder(Arc::new(self.store.clone()), host)
            .transport(Provider::Sandbox, settings.sandbox.provider())
            .transport(Provider::CloudApi, providers.cloud.clone())
            .transport(Provider::Evolution, providers.evolution.clone())
            .policy(settings.policy.live()?)
            .delivering(settings.delivering())
            .webhooks(webhooks)
            .phone_systems(phone_systems);
        if let Some(candidate) = settings.policy.candidate()? {
            builder = builder.candidate(candidate);
        }
        Ok((builder.build(), providers))
    }
}

fn absent_root(keys: &Path, root: u32) -> String {
    format!("{}: expected root {root}, which the database names; bring back the keyring that belongs to it", keys.display())
}
