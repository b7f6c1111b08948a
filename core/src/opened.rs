//! Opened: what the sealed values of endpoints say, kept in memory until the endpoint is changed.

use alloc::sync::Arc;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Endpoint, EndpointId};

/// How many endpoints stay open.
const OPENED_MAX: usize = 1_024;

/// What was opened, by endpoint, each at the revision that it was opened at.
pub(crate) struct OpenedEndpoints<T>(Mutex<HashMap<EndpointId, (u32, Arc<T>)>>);

impl<T> Default for OpenedEndpoints<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> OpenedEndpoints<T> {
    /// What the endpoint's values say; they are opened where they are not open at its revision.
    pub(crate) fn get_or_open<E>(&self, endpoint: &Endpoint, open: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some((revision, opened)) = self.lock().get(&endpoint.id)
            && *revision == endpoint.revision
        {
            return Ok(opened.clone());
        }
        let opened = Arc::new(open()?);
        let mut known = self.lock();
        if known.len() >= OPENED_MAX {
            known.clear();
        }
        known.insert(endpoint.id, (endpoint.revision, opened.clone()));
        Ok(opened)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EndpointId, (u32, Arc<T>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
