//! Texts: what a content says, part by part, for people who must see it before they let it go out.

use alloc::vec::Vec;

use super::{Part, for_each_text};
use crate::Content;

impl Content {
    /// All that it says, with the part of it in which it stands, in the order in which [`examine`](crate::examine()) reads it. A template
    /// says only what fills its gaps: the rest of it stands with the provider.
    ///
    /// ```
    /// use gatepost::{Content, Part};
    ///
    /// let content: Content = serde_json::from_str(
    ///     r#"{"type": "media", "kind": "document", "source": "https://shop.test/bill.pdf",
    ///         "caption": "Your bill", "file_name": "bill.pdf"}"#,
    /// )?;
    /// let texts = [(Part::Body, "Your bill"), (Part::Link, "https://shop.test/bill.pdf"), (Part::Name, "bill.pdf")];
    /// assert_eq!(content.texts(), texts);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn texts(&self) -> Vec<(Part, &str)> {
        let mut texts = Vec::new();
        for_each_text(self, &mut |part, _, text| texts.push((part, text)));
        texts
    }
}
