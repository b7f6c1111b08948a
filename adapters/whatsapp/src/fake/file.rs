//! File: what somebody sent, as a fake keeps it to be fetched.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// A file that a fake has.
#[derive(Clone, Debug)]
pub struct FakeFile {
    /// Its type, which is not looked at.
    pub mime_type: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What the answer says otherwise than is true: an object with some of its fields.
    pub lies: Value,
}

impl FakeFile {
    /// A small picture: a speech bubble.
    pub fn picture() -> Self {
        Self { mime_type: String::from("image/png"), bytes: include_bytes!("picture.png").to_vec(), lies: json!({}) }
    }

    /// What is said of it, with its lies.
    pub(super) fn told(&self, mut truth: Value) -> Value {
        if let (Some(truth), Some(lies)) = (truth.as_object_mut(), self.lies.as_object()) {
            truth.extend(lies.clone());
        }
        truth
    }
}

/// The files of a fake, by the ids under which they are asked for.
#[derive(Default)]
pub(super) struct Files(Mutex<HashMap<String, FakeFile>>);

impl Files {
    pub(super) fn put(&self, id: &str, file: FakeFile) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), file);
    }

    pub(super) fn get(&self, id: &str) -> Option<FakeFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}
