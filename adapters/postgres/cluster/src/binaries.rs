//! Binaries: where the machine keeps Postgres.

use std::path::{Path, PathBuf};

/// Names the folder of the binaries, before all other places.
pub const VARIABLE: &str = "GATEPOST_POSTGRES_BIN";

/// Debian keeps each version in a folder of its own, and off the `PATH`.
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder that holds `initdb` and `postgres`: the one that [`VARIABLE`] names, or else one of the `PATH`, or else Debian's newest.
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Some(PathBuf::from(named)).filter(|folder| is_whole(folder));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).find(|folder| is_whole(folder)).or_else(debian)
}

fn debian() -> Option<PathBuf> {
    let versions = std::fs::read_dir(DEBIAN).ok()?.flatten();
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).filter(|path| is_whole(&path.join("bin"))).max_by_key(version)?;
    Some(newest.join("bin"))
}

fn is_whole(folder: &Path) -> bool {
    ["initdb", "postgres"].iter().all(|name| folder.join(name).is_file())
}
