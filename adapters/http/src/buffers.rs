//! Buffers: the bytes of one exchange, on their way out and in.
//!
//! What goes out is held back until the answer is waited for, so that head and body of a usual request leave in one write. A thread
//! has one pair and uses it for all its exchanges; an idle connection holds none.

/// Room for the head and body of a usual request.
const OUTPUT_BYTES: usize = 32 * 1024;
/// Below this much room, what is held back goes out. No header may be longer.
const OUTPUT_ROOM_MIN: usize = 16 * 1024;
/// How much is read at once, but of a large head.
pub(crate) const INPUT_BYTES: usize = 8 * 1024;
const INPUT_ROOM_MIN: usize = 4 * 1024;
/// Room for the largest head that is taken, and for what came with it.
const INPUT_BYTES_MAX: usize = 96 * 1024;

/// The bytes of one exchange.
#[derive(Default)]
pub(crate) struct Buffers {
    output: Vec<u8>,
    held: usize,
    input: Vec<u8>,
    from: usize,
    to: usize,
    has_progressed: bool,
}

impl Buffers {
    /// Forgets an exchange, and what it took more than the usual room.
    pub(crate) fn clear(&mut self) {
        (self.held, self.from, self.to, self.has_progressed) = (0, 0, 0, false);
        if self.input.len() > INPUT_BYTES {
            self.input = Vec::new();
        }
    }

    /// Holds back the next `count` bytes of [`room`](Self::room). Answers whether it is time to let go.
    pub(crate) const fn hold(&mut self, count: usize) -> bool {
        self.held += count;
        self.output.len() < self.held + OUTPUT_ROOM_MIN
    }

    /// What is held back.
    pub(crate) fn held(&self) -> &[u8] {
        self.output.get(..self.held).unwrap_or_default()
    }

    /// Nothing is held back any more.
    pub(crate) const fn let_go(&mut self) {
        self.held = 0;
    }

    /// Where the next bytes that go out are written.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        self.output.resize(OUTPUT_BYTES, 0);
        self.output.get_mut(self.held..).unwrap_or_default()
    }

    /// What came in and was not used yet.
    pub(crate) fn unread(&self) -> &[u8] {
        self.input.get(self.from..self.to).unwrap_or_default()
    }

    /// Whether some of it may be used without waiting for more.
    pub(crate) const fn is_usable(&self) -> bool {
        self.from < self.to && self.has_progressed
    }

    /// Where the next bytes that come in are written; empty if there is too much already.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.input.len() - self.to < INPUT_ROOM_MIN {
            self.make_space();
        }
        self.input.get_mut(self.to..).unwrap_or_default()
    }

    fn make_space(&mut self) {
        self.input.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        if self.input.len() - self.to < INPUT_ROOM_MIN {
            self.input.resize((self.input.len() * 2).clamp(INPUT_BYTES, INPUT_BYTES_MAX), 0);
        }
    }

    /// `count` bytes came in.
    pub(crate) const fn came(&mut self, count: usize) {
        self.to += count;
    }

    /// `count` bytes of what came in were used.
    pub(crate) const fn used(&mut self, count: usize) {
        self.has_progressed = count > 0;
        self.from += count;
        if self.from >= self.to {
            (self.from, self.to) = (0, 0);
        }
    }

    /// Where bytes come in and where they go out.
    pub(crate) fn space_and_room(&mut self) -> (&mut [u8], &mut [u8]) {
        self.output.resize(OUTPUT_BYTES, 0);
        (self.input.get_mut(self.to..).unwrap_or_default(), self.output.get_mut(self.held..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes(buffers: &mut Buffers, bytes: &[u8]) {
        buffers.space()[..bytes.len()].copy_from_slice(bytes);
        buffers.came(bytes.len());
    }

    #[test]
    fn head_and_body_of_a_usual_request_are_held_together() {
        let mut buffers = Buffers::default();
        buffers.room()[..4].copy_from_slice(b"head");
        assert!(!buffers.hold(4));
        buffers.room()[..4].copy_from_slice(b"body");
        assert!(!buffers.hold(4));
        assert_eq!(buffers.held(), b"headbody");
        buffers.let_go();
        assert_eq!(buffers.held(), b"");
    }

    #[test]
    fn more_than_the_usual_goes_out_while_there_is_room_for_a_header() {
        let mut buffers = Buffers::default();
        assert_eq!(buffers.room().len(), OUTPUT_BYTES);
        assert!(!buffers.hold(OUTPUT_BYTES - OUTPUT_ROOM_MIN));
        assert_eq!(buffers.room().len(), OUTPUT_ROOM_MIN);
        assert!(buffers.hold(1));
    }

    #[test]
    fn unread_bytes_are_kept_while_more_come() {
        let mut buffers = Buffers::default();
        comes(&mut buffers, b"abcdef");
        buffers.used(2);
        assert!(buffers.is_usable());
        while buffers.space().len() > INPUT_ROOM_MIN {
            comes(&mut buffers, b"x");
        }
        comes(&mut buffers, b"y");
        assert!(buffers.unread().starts_with(b"cdefx") && buffers.unread().ends_with(b"xy"));
        buffers.used(0);
        assert!(!buffers.is_usable());
    }

    #[test]
    fn what_comes_in_has_a_bound_and_the_room_is_given_back() {
        let mut buffers = Buffers::default();
        while !buffers.space().is_empty() {
            let count = buffers.space().len();
            buffers.came(count);
        }
        assert_eq!(buffers.unread().len(), INPUT_BYTES_MAX);
        buffers.clear();
        assert_eq!((buffers.unread().len(), buffers.input.len()), (0, 0));
    }
}
