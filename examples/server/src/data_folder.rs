//! Data folder: what a gateway keeps on this machine, the keyring and, where it does not work in Postgres, the database `gatepost.db`.
//!
//! [`DataFolder::make`] makes both on first start; [`DataFolder::open`] opens what is there. A keyring is made only beside a database
//! that is new: a new one beside an old database would refuse every key without a word.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use gatepost::{Gateway, Host, Keyring, Provider, Sealer};
use gatepost_system::System;

use crate::config::{DatabaseSettings, DatabaseUrl, Mode, Settings};
use crate::database::Database;
use crate::keys_file::{KeysFile, KeysFileError};
use crate::providers::Providers;
use crate::{Failure, database, phone_systems, private_file, webhooks};

/// Where database and keyring are.
#[derive(Clone, Debug)]
pub struct DataFolder {
    folder: PathBuf,
    keys: KeysFile,
    mode: Mode,
    database: DatabaseSettings,
}

/// A database and its keyring, opened.
pub struct Opened {
    /// The database.
    pub database: Database,
    /// The keyring.
    pub keyring: Keyring,
}

impl DataFolder {
    /// The folder that the settings name.
    pub fn of(settings: &Settings) -> Self {
        let keys = settings.keys_file.clone().unwrap_or_else(|| settings.data.join("keys.toml"));
        let database = settings.database.clone();
        Self { folder: settings.data.clone(), keys: KeysFile::at(keys), mode: settings.mode, database }
    }

    /// The keyring's file.
    pub fn keys(&self) -> &KeysFile {
        &self.keys
    }

    /// Opens the folder; makes it, with an empty database and a keyring, where it does not exist.
    pub async fn make(&self) -> Result<Opened, Failure> {
        private_file::create_folder(&self.folder).map_err(|error| self.unavailable(&error))?;
        match &self.database.url {
            Some(url) if !self.keys.path().exists() => self.make_beside(url).await,
            None if !self.file().exists() => {
                self.keys.ensure(&System)?;
                self.make_file().map_err(|error| self.unavailable(&error))?;
                self.open().await
            }
            _ => self.open().await,
        }
    }

    /// Opens what is there: a file where it holds one, a server as it is.
    pub async fn open(&self) -> Result<Opened, Failure> {
        if self.database.url.is_none() && !self.file().exists() {
            let problem = format!("{}: holds no database; `gatepost-server serve` makes it", self.folder.display());
            return Err(Failure::Unavailable(problem));
        }
        let keys = self.read_keys()?;
        let database = match &self.database.url {
            Some(url) => Database::Postgres(database::open_server(url, &self.database)?),
            None => Database::Sqlite(database::open_file(&self.file())?),
        };
        self.opened(database, keys).await
    }

    /// Makes the keyring, if nobody has opened the database yet: its hosts share one keyring. Where another host makes its own at the same
    /// moment, the database keeps one of the two, and refuses the other.
    async fn make_beside(&self, url: &DatabaseUrl) -> Result<Opened, Failure> {
        let database = Database::Postgres(database::open_server(url, &self.database)?);
        if database.is_used().await? {
            return Err(KeysFileError::Missing { path: self.keys.path().to_owned() }.into());
        }
        self.keys.ensure(&System)?;
        self.opened(database, self.read_keys()?).await
    }

    /// The SQLite file, where there is no server.
    pub fn file(&self) -> PathBuf {
        self.folder.join("gatepost.db")
    }

    /// Makes an empty file for the database: SQLite gives the files beside it the same mode.
    fn make_file(&self) -> io::Result<()> {
        match private_file::create(&self.file()) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    fn read_keys(&self) -> Result<Keyring, Failure> {
        let keyring = self.keys.read()?;
        match self.mode {
            Mode::Production => self.keys.refuse_exposed()?,
            Mode::Development => {}
        }
        Ok(keyring)
    }

    async fn opened(&self, database: Database, keyring: Keyring) -> Result<Opened, Failure> {
        self.keys.refuse_other(&keyring, &*database.store()).await?;
        Ok(Opened { database, keyring })
    }

    fn unavailable(&self, error: &dyn std::error::Error) -> Failure {
        Failure::Unavailable(format!("{}: {error}", self.folder.display()))
    }
}

impl Opened {
    /// Who seals the policy events of the database.
    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.database.store(), self.keyring.clone(), &System)
    }

    /// A gateway over the database, as it is set, and the providers that it sends by; it listens, or would, at `address`.
    pub fn gateway(&self, settings: &Settings, address: SocketAddr) -> Result<(Gateway, Providers), Failure> {
        let host: Arc<dyn Host> = Arc::new(System);
        let store = self.database.store();
        let webhooks = webhooks::of(settings, self.keyring.clone(), host.clone())?;
        let phone_systems = phone_systems::of(settings, settings.public_url_at(address), self.keyring.clone(), host.clone())?;
        let providers = Providers::of(settings, store.worker(), self.keyring.clone(), host.clone())?;
        let mut builder = Gateway::builder(store, host)
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
