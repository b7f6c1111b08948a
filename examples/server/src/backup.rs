//! Backup: an online copy of the database, without the keyring.
//!
//! The copy is one consistent state, also while a server writes. The keyring is left out on purpose: who finds a copy of the database
//! finds no key in it.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use gatepost_sqlite::SqliteStore;

use crate::{Failure, private_file};

/// Copies the database into a new file that only its owner can read.
pub async fn run(store: &SqliteStore, to: &Path) -> Result<(), Failure> {
    if to.exists() {
        return Err(Failure::Usage(format!("{}: expected a new file, and there is one; nothing is written over", to.display())));
    }
    let failed = |error: io::Error| Failure::Unavailable(format!("{}: {error}", to.display()));
    // In a folder that nobody else can enter the copy is private from its first byte on.
    let folder = PathBuf::from(format!("{}.new", to.display()));
    private_file::create_folder(&folder).map_err(failed)?;
    let copy = folder.join("copy.db");
    let copied = store.backup(&copy).await;
    let kept = copied.map_err(Failure::from).and_then(|()| keep(&copy, to).map_err(failed));
    let cleared = fs::remove_dir_all(&folder).map_err(failed);
    kept.and(cleared)
}

/// Brings the copy to the disk, then under its name.
fn keep(copy: &Path, to: &Path) -> io::Result<()> {
    fs::set_permissions(copy, Permissions::from_mode(0o600))?;
    File::open(copy)?.sync_all()?;
    fs::rename(copy, to)?;
    File::open(private_file::folder(to))?.sync_all()
}
