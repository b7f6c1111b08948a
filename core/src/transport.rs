//! Transport: what carries a parcel to a provider.

use alloc::boxed::Box;
use alloc::sync::Arc;

use async_trait::async_trait;

use crate::{Outcome, Parcel, Timestamp};

/// Carries parcels to one provider.
///
/// The contract: the first byte is written before `deadline` or not at all; one call sends at most once; the outcome is
/// [`Outcome::Unknown`] wherever the parcel may have reached the provider and no answer says so. A transport that is dropped in the
/// middle is treated the same way.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one parcel and says what became of it.
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome;
}

/// A transport that an app goes on to use for more than sending.
#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(&self, parcel: Parcel, deadline: Timestamp) -> Outcome {
        (**self).send(parcel, deadline).await
    }
}
