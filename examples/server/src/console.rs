//! Console: lines for whoever started the program. Where nobody reads them any more, the program goes on.

use std::fmt::Display;
use std::io::{Write, stderr, stdout};

/// Says a line on standard output.
pub fn say(line: impl Display) {
    let _ = writeln!(stdout(), "{line}");
}

/// Says a line on standard error.
pub fn tell(line: impl Display) {
    let _ = writeln!(stderr(), "{line}");
}
