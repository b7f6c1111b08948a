//! Phrases: what the files of words are about.

use super::signal::Signal;

/// What a phrase says.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Phrase {
    /// It shows something by itself.
    Shows(Signal),
    /// A verb that asks to hand something over.
    Give,
    /// The name of a secret.
    Secret,
    /// What takes the sting out of a sentence about secrets.
    Never,
}
