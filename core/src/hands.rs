//! Hands: how many sends may be on their way, and the way in which a started attempt reaches the worker.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::task::AtomicWaker;

use crate::{Permit, Started};

/// The worker's places, and what was put into them.
pub(crate) struct Hands {
    places: usize,
    free: AtomicUsize,
    attended: AtomicBool,
    started: Mutex<Vec<(Started, Slot)>>,
    awake: AtomicBool,
    due: AtomicBool,
    waker: AtomicWaker,
}

/// One place that is taken; free again when dropped.
pub(crate) struct Slot(Arc<Hands>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::AcqRel);
    }
}

impl Hands {
    pub(crate) fn new(places: usize) -> Arc<Self> {
        Arc::new(Self {
            places,
            free: AtomicUsize::new(places),
            attended: AtomicBool::new(false),
            started: Mutex::default(),
            awake: AtomicBool::new(false),
            due: AtomicBool::new(true),
            waker: AtomicWaker::new(),
        })
    }

    /// Whether a worker is there to take what is started at once.
    pub(crate) fn attend(&self, attended: bool) {
        self.attended.store(attended, Ordering::Release);
    }

    /// A permit to start a message at once, where a worker is there and has a place.
    pub(crate) fn permit(self: &Arc<Self>) -> Option<Permit> {
        if !self.attended.load(Ordering::Acquire) {
            return None;
        }
        let slot = self.slot()?;
        Some(Permit::new(move |started| {
            let hands = slot.0.clone();
            hands.started.lock().unwrap_or_else(PoisonError::into_inner).push((started, slot));
            hands.wake();
        }))
    }

    /// A place, where one is free.
    pub(crate) fn slot(self: &Arc<Self>) -> Option<Slot> {
        self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1)).ok()?;
        Some(Slot(self.clone()))
    }

    /// Whether every place is free: nothing is on its way, and no permit is out.
    pub(crate) fn is_idle(&self) -> bool {
        self.free.load(Ordering::Acquire) == self.places
    }

    /// What was started since the last look.
    pub(crate) fn take_started(&self) -> Vec<(Started, Slot)> {
        mem::take(&mut *self.started.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the worker that something in the store may be due.
    pub(crate) fn hint(&self) {
        self.due.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether something may have become due since the last look.
    pub(crate) fn was_hinted(&self) -> bool {
        self.due.swap(false, Ordering::AcqRel)
    }

    /// Whether somebody told of something since the last look.
    pub(crate) fn is_hinted(&self) -> bool {
        self.due.load(Ordering::Acquire)
    }

    /// Wakes the worker.
    pub(crate) fn wake(&self) {
        self.awake.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether somebody woke the worker since the last look; otherwise has `context` woken when they do.
    pub(crate) fn was_woken(&self, context: &core::task::Context<'_>) -> bool {
        self.waker.register(context.waker());
        self.awake.swap(false, Ordering::AcqRel)
    }
}
