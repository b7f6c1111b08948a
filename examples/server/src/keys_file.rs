//! Keys file: the keyring on disk, `keys.toml`.
//!
//! ```toml
//! use = 1
//!
//! [[root]]
//! number = 1
//! key = "64 hexadecimal digits"
//! created_at = "2026-11-22T12:00:00Z"
//! ```
//!
//! `use` is the number of the root that makes what is new; where it is not said, the newest does. All roots read.
//!
//! It is made on first start from the host's randomness, mode 0600. It is rotated in two steps, so that no host makes what another cannot read:
//! [`KeysFile::add`] a root, and [`KeysFile::use_root`] once every host has it. A database that knows a root which was lost before anything was
//! made with it misses it no more once a root has a higher number, given by hand. Errors name the root and the field, never the value. Writers
//! take turns by a lock on the folder, so that two first starts make one keyring.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gatepost::{Host, Keyring, OtherKeyring, Store, Timestamp};
use thiserror::Error;
use toml::{Table, Value};
use zeroize::Zeroizing;

use crate::config::line_of;
use crate::{Failure, private_file};

const HEADER: &str = "\
# The root keys of this gateway. Whoever has them can make keys that the gateway accepts.
# Keep a copy apart from the database: one is of no use without the other, and `backup` leaves this file out.
";

const BRING_IT_BACK: &str = "bring it back, or a copy from another host, because without it no key of this database is accepted \
     (a new database gets its keyring by `serve` or `key create --operator`)";

const THE_RIGHT_ONE: &str =
    "put the keyring of the database there: a copy of that of another host which works in it, or the one that was kept";

/// Why there is no keyring.
#[derive(Debug, Error)]
pub enum KeysFileError {
    /// It has no root of that number to use.
    #[error("{}: expected the number of one of its roots, and {root} is none", path.display())]
    Absent {
        /// Which.
        path: PathBuf,
        /// Which root.
        root: u32,
    },
    /// The file could not be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the machine said.
        error: io::Error,
    },
    /// The file says what it cannot.
    #[error("{}: {problem}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where, and what was expected.
        problem: String,
    },
    /// It is not the keyring of the database.
    #[error("{}: {other}; {THE_RIGHT_ONE}", path.display())]
    Other {
        /// Which.
        path: PathBuf,
        /// In what.
        other: OtherKeyring,
    },
    /// There is none, and there ought to be.
    #[error("{}: the keyring is missing; {BRING_IT_BACK}", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("{}: expected a file that only its owner can read (`chmod 600`), because `mode` is `production`", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
    },
}

/// The file of the keyring.
#[derive(Clone, Debug)]
pub struct KeysFile {
    path: PathBuf,
}

impl KeysFile {
    /// The file at `path`, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file with its first root, where there is none.
    pub fn ensure(&self, host: &dyn Host) -> Result<(), KeysFileError> {
        let _turn = self.take_turn()?;
        if self.path.exists() {
            return Ok(());
        }
        self.write(&Roots { present: 1, all: vec![Root::generate(1, host)] })
    }

    /// Adds a root, which makes nothing yet; its number.
    pub fn add(&self, host: &dyn Host) -> Result<u32, KeysFileError> {
        let _turn = self.take_turn()?;
        let mut roots = self.roots()?;
        let number = roots.newest() + 1;
        roots.all.push(Root::generate(number, host));
        self.write(&roots)?;
        Ok(number)
    }

    /// Has a root make what is new from now on.
    pub fn use_root(&self, number: u32) -> Result<(), KeysFileError> {
        let _turn = self.take_turn()?;
        let roots = Roots { present: number, ..self.roots()? };
        if !roots.has(number) {
            return Err(KeysFileError::Absent { path: self.path.clone(), root: number });
        }
        self.write(&roots)
    }

    /// The keyring.
    pub fn read(&self) -> Result<Keyring, KeysFileError> {
        let Roots { present, all } = self.roots()?;
        let keyring = Keyring::new(all.into_iter().map(|root| (root.number, root.key)));
        let keyring = keyring.map_err(|error| self.malformed(error.to_string()))?;
        keyring.using(present).map_err(|_| self.malformed("`use`: expected the number of one of its roots".to_owned()))
    }

    /// Refuses this keyring of the file where the database has another one, or rows of the database name roots that it lacks. One that is
    /// new there is noted. A root that was added at another host and makes nothing yet is not missed: else no host could start between that
    /// and the copying.
    pub async fn refuse_other(&self, keyring: &Keyring, store: &dyn Store) -> Result<(), Failure> {
        let operator = store.operator();
        let lacks = |root: &u32| keyring.pepper(*root).is_none();
        let absent = operator.roots().await?.into_iter().find(lacks).map(|root| OtherKeyring::Absent { root });
        let checked = match absent {
            Some(absent) => Err(absent),
            None => keyring.check(&operator.note_roots(keyring.prints()).await?),
        };
        checked.map_err(|other| KeysFileError::Other { path: self.path.clone(), other }.into())
    }

    /// Refuses a file that others may read.
    pub fn refuse_exposed(&self) -> Result<(), KeysFileError> {
        match private_file::others_may_read(&self.path) {
            Ok(false) => Ok(()),
            Ok(true) => Err(KeysFileError::Exposed { path: self.path.clone() }),
            Err(error) => Err(self.io(error)),
        }
    }

    fn roots(&self) -> Result<Roots, KeysFileError> {
        let text = Zeroizing::new(fs::read_to_string(&self.path).map_err(|error| self.io(error))?);
        // The parser's own words may quote the text.
        let not_toml = |error| self.malformed(format!("line {}: expected TOML", line_of(&text, &error)));
        let table: Table = text.parse().map_err(not_toml)?;
        let roots = match table.get("root") {
            None => &[][..],
            Some(Value::Array(roots)) => roots,
            Some(_) => return Err(self.malformed("`root`: expected `[[root]]`".to_owned())),
        };
        let all: Vec<Root> = roots.iter().enumerate().map(|(place, root)| self.root(place + 1, root)).collect::<Result<_, _>>()?;
        let is_repeated = |(place, root): (usize, &Root)| all.iter().take(place).any(|other| other.number == root.number);
        if let Some(place) = all.iter().enumerate().position(is_repeated) {
            return Err(self.malformed(format!("root {}: `number`: expected a number that no other root has", place + 1)));
        }
        let mut roots = Roots { present: 0, all };
        roots.present = match table.get("use") {
            None => roots.newest(),
            // A number that is none is that of no root.
            Some(number) => number_of(number).unwrap_or_default(),
        };
        Ok(roots)
    }

    fn root(&self, place: usize, root: &Value) -> Result<Root, KeysFileError> {
        let expected = |field: &str, what: &str| self.malformed(format!("root {place}: `{field}`: expected {what}"));
        let number = root.get("number").and_then(number_of);
        let created_at = root.get("created_at").and_then(Value::as_str).and_then(|text| text.parse().ok());
        Ok(Root {
            number: number.filter(|number| *number > 0).ok_or_else(|| expected("number", "a whole number from 1 on"))?,
            key: root.get("key").and_then(Value::as_str).and_then(from_hex).ok_or_else(|| expected("key", "64 hexadecimal digits"))?,
            created_at: created_at.ok_or_else(|| expected("created_at", "a time, for example \"2026-11-22T12:00:00Z\""))?,
        })
    }

    fn write(&self, roots: &Roots) -> Result<(), KeysFileError> {
        let mut text = Zeroizing::new(format!("{HEADER}use = {}\n", roots.present));
        for root in &roots.all {
            text.push_str(&root.to_toml());
        }
        private_file::write(&self.path, &text).map_err(|error| self.io(error))
    }

    /// Waits until no other process changes the file; the lock ends with what is returned.
    fn take_turn(&self) -> Result<File, KeysFileError> {
        let path = private_file::folder(&self.path);
        let locked = File::open(path).and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|error| KeysFileError::Io { path: path.to_owned(), error })
    }

    fn io(&self, error: io::Error) -> KeysFileError {
        let path = self.path.clone();
        if error.kind() == io::ErrorKind::NotFound { KeysFileError::Missing { path } } else { KeysFileError::Io { path, error } }
    }

    fn malformed(&self, problem: String) -> KeysFileError {
        KeysFileError::Malformed { path: self.path.clone(), problem }
    }
}

/// What the file holds.
struct Roots {
    /// The number of the root that makes what is new.
    present: u32,
    all: Vec<Root>,
}

impl Roots {
    fn has(&self, number: u32) -> bool {
        self.all.iter().any(|root| root.number == number)
    }

    /// The highest number.
    fn newest(&self) -> u32 {
        self.all.iter().map(|root| root.number).max().unwrap_or_default()
    }
}

struct Root {
    number: u32,
    key: Zeroizing<[u8; 32]>,
    created_at: Timestamp,
}

impl Root {
    fn generate(number: u32, host: &dyn Host) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        host.fill(&mut *key);
        Self { number, key, created_at: host.now() }
    }

    fn to_toml(&self) -> Zeroizing<String> {
        let mut hex = Zeroizing::new(String::with_capacity(64));
        for byte in self.key.iter() {
            // Writing into a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Zeroizing::new(format!("\n[[root]]\nnumber = {}\nkey = \"{}\"\ncreated_at = \"{}\"\n", self.number, *hex, self.created_at))
    }
}

fn number_of(value: &Value) -> Option<u32> {
    value.as_integer().and_then(|number| u32::try_from(number).ok())
}

fn from_hex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut key = Zeroizing::new([0; 32]);
    if pairs.len() != key.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in key.iter_mut().zip(pairs) {
        let digit = |character: u8| char::from(character).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(key)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use gatepost_system::System;

    use super::*;

    fn file() -> (tempfile::TempDir, KeysFile) {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeysFile::at(folder.path().join("keys.toml"));
        (folder, keys)
    }

    fn numbers(keys: &KeysFile) -> Vec<u32> {
        keys.read().unwrap().prints().iter().map(|print| print.number).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_first_start_makes_one_root_that_only_its_owner_can_read() {
        let (folder, keys) = file();
        keys.ensure(&System).unwrap();
        let text = fs::read_to_string(keys.path()).unwrap();

        assert_eq!(mode(keys.path()), 0o600);
        assert_eq!(numbers(&keys), [1]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no other file is left");

        keys.ensure(&System).unwrap();
        assert_eq!(fs::read_to_string(keys.path()).unwrap(), text, "the second start changes nothing");
    }

    #[test]
    fn a_root_is_added_beside_the_others_and_used_when_that_is_said() {
        let (_folder, keys) = file();
        keys.ensure(&System).unwrap();
        let first = fs::read_to_string(keys.path()).unwrap();

        assert_eq!(keys.add(&System).unwrap(), 2);
        assert_eq!((numbers(&keys), keys.read().unwrap().present().0), (vec![1, 2], 1));
        assert!(fs::read_to_string(keys.path()).unwrap().starts_with(&first));
        keys.use_root(2).unwrap();
        assert_eq!((numbers(&keys), keys.read().unwrap().present().0), (vec![1, 2], 2));
        assert_eq!(keys.add(&System).unwrap(), 3);
        assert_eq!((numbers(&keys), keys.read().unwrap().present().0), (vec![1, 2, 3], 2));
        assert_eq!(mode(keys.path()), 0o600);

        let refused = keys.use_root(4).unwrap_err().to_string();
        assert_eq!(refused, format!("{}: expected the number of one of its roots, and 4 is none", keys.path().display()));
        assert_eq!(keys.read().unwrap().present().0, 2);
    }

    #[test]
    fn the_newest_root_is_used_where_nothing_is_said() {
        let (_folder, keys) = file();
        keys.ensure(&System).unwrap();
        keys.add(&System).unwrap();
        let text = fs::read_to_string(keys.path()).unwrap();
        fs::write(keys.path(), text.replace("use = 1\n", "")).unwrap();
        assert_eq!(keys.read().unwrap().present().0, 2);
    }

    #[test]
    fn an_interrupted_write_is_written_over() {
        let (folder, keys) = file();
        fs::write(folder.path().join("keys.toml.new"), "[[root]]\nnumb").unwrap();
        keys.ensure(&System).unwrap();
        assert_eq!(numbers(&keys), [1]);
    }

    #[test]
    fn many_first_starts_make_one_keyring() {
        let (_folder, keys) = file();
        std::thread::scope(|scope| (0..8).for_each(|_| _ = scope.spawn(|| keys.ensure(&System).unwrap())));
        assert_eq!(numbers(&keys), [1]);
    }

    #[test]
    fn a_file_that_others_can_read_is_exposed() {
        let (_folder, keys) = file();
        keys.ensure(&System).unwrap();
        assert!(keys.refuse_exposed().is_ok());
        for mode in [0o640, 0o604] {
            fs::set_permissions(keys.path(), fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(keys.refuse_exposed(), Err(KeysFileError::Exposed { .. })), "{mode:o}");
        }
    }

    #[test]
    fn an_error_names_the_root_and_the_field_and_never_the_value() {
        let key = "5e".repeat(32);
        let root = |number: &str, key: &str, at: &str| format!("[[root]]\nnumber = {number}\nkey = {key}\ncreated_at = {at}\n");
        let good = root("1", &format!("\"{key}\""), "\"2026-11-22T12:00:00Z\"");
        let cases = [
            (String::new(), "expected at least one root key"),
            ("root = 5".to_owned(), "`root`: expected `[[root]]`"),
            (root("0", &format!("\"{key}\""), "\"2026-11-22T12:00:00Z\""), "root 1: `number`: expected a whole number from 1 on"),
            (
                format!("{good}{}", root("2", &format!("\"{key}5\""), "\"2026-11-22T12:00:00Z\"")),
                "root 2: `key`: expected 64 hexadecimal digits",
            ),
            (format!("{good}{good}"), "root 2: `number`: expected a number that no other root has"),
            (root("1", &format!("\"{key}\""), "\"5e5e\""), "root 1: `created_at`: expected a time, for example \"2026-11-22T12:00:00Z\""),
            (format!("use = 2\n{good}"), "`use`: expected the number of one of its roots"),
            (format!("use = \"{key}\"\n{good}"), "`use`: expected the number of one of its roots"),
            (format!("# one\nkey = {key}"), "line 2: expected TOML"),
        ];
        for (text, expected) in cases {
            let (_folder, keys) = file();
            fs::write(keys.path(), text).unwrap();
            let error = keys.read().unwrap_err().to_string();
            assert_eq!(error, format!("{}: {expected}", keys.path().display()));
        }
    }
}
