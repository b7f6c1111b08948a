//! Template: the message that a call becomes.
//!
//! A template is written by the account and read once ([`Template`]). What a phone system fills in is somebody else's words: it can neither
//! begin another variable, nor a line, nor bold type.

use std::fmt;
use std::str::FromStr;

use gatepost::{Phone, Text, is_invisible};

/// The most characters of a template.
pub const TEMPLATE_CHARACTERS_MAX: usize = 1_024;

/// What a template can say of a call.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Variable {
    /// The extension of the agent.
    AgentExtension,
    /// The name of the account.
    BusinessName,
    /// When it was, as the phone system wrote it.
    CallTime,
    /// The customer's number.
    CustomerPhone,
    /// The name of the queue.
    Queue,
}

impl Variable {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::AgentExtension, Self::BusinessName, Self::CallTime, Self::CustomerPhone, Self::Queue];

    /// The word between the braces.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentExtension => "agent_extension",
            Self::BusinessName => "business_name",
            Self::CallTime => "call_time",
            Self::CustomerPhone => "customer_phone",
            Self::Queue => "queue",
        }
    }
}

/// What is known of a call. Its `Debug` does not show whose it was.
#[derive(Clone, Eq, PartialEq)]
pub struct CallFacts {
    /// The customer's number.
    pub customer_phone: Phone,
    /// The extension of the agent.
    pub agent_extension: Option<String>,
    /// The name of the queue.
    pub queue: Option<String>,
    /// When it was, as the phone system wrote it.
    pub call_time: Option<String>,
}

impl fmt::Debug for CallFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallFacts").field("customer_phone", &self.customer_phone).finish_non_exhaustive()
    }
}

/// A text with places for what is known of a call.
///
/// ```
/// use gatepost_threecx::{CallFacts, Template};
///
/// let template: Template = "{{business_name}}: sorry that we missed your call at {{call_time}}.".parse()?;
/// let customer_phone = "+999501234567".parse()?;
/// let facts = CallFacts { customer_phone, agent_extension: None, queue: None, call_time: Some("10:31".to_owned()) };
/// assert_eq!(template.fill("Acme", &facts)?.as_str(), "Acme: sorry that we missed your call at 10:31.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Piece {
    Words(String),
    Place(Variable),
}

impl Template {
    /// The message for a call.
    ///
    /// # Errors
    ///
    /// Where it speaks of something that is not known of this call, as a sentence with a hole in it says less than none, or becomes too long.
    pub fn fill(&self, business_name: &str, facts: &CallFacts) -> Result<Text, NotFilled> {
        let mut message = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => message.push_str(words),
                Piece::Place(variable) => {
                    let value = value(*variable, business_name, facts).map(|value| plain(&value)).filter(|value| !value.is_empty());
                    message.push_str(&value.ok_or(NotFilled::Missing(*variable))?);
                }
            }
        }
        message.parse().map_err(|_| NotFilled::TooLong)
    }
}

fn value(variable: Variable, business_name: &str, facts: &CallFacts) -> Option<String> {
    match variable {
        Variable::AgentExtension => facts.agent_extension.clone(),
        Variable::BusinessName => Some(business_name.to_owned()),
        Variable::CallTime => facts.call_time.clone(),
        Variable::CustomerPhone => Some(facts.customer_phone.e164()),
        Variable::Queue => facts.queue.clone(),
    }
}

/// What somebody else wrote, on one line and without WhatsApp's signs for bold, italic, struck out and monospaced type, for quotations and
/// lists. An underscore within a word makes no italics and stays; what joins letters in some scripts stays too.
fn plain(value: &str) -> String {
    let characters: Vec<char> = value.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let is_word = |index: Option<usize>| index.and_then(|index| characters.get(index)).is_some_and(|character| character.is_alphanumeric());
    let is_sign = |(index, character): (usize, char)| match character {
        '*' | '~' | '`' => true,
        '_' => !(is_word(index.checked_sub(1)) && is_word(Some(index + 1))),
        '\u{200c}' | '\u{200d}' | '\u{fe0f}' => false,
        other => is_invisible(other),
    };
    let kept: String = characters.iter().copied().enumerate().filter(|found| !is_sign(*found)).map(|(_, character)| character).collect();
    let begins_a_line_otherwise =
        |first: char| matches!(first, '>' | '-' | '#' | '\u{200c}' | '\u{200d}' | '\u{fe0f}') || first.is_whitespace();
    kept.trim_start_matches(begins_a_line_otherwise).split_whitespace().collect::<Vec<_>>().join(" ")
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let text = text.trim();
        if text.is_empty() || text.contains('\0') || text.chars().count() > TEMPLATE_CHARACTERS_MAX {
            return Err(InvalidTemplate::Length);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((words, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}").ok_or(InvalidTemplate::Unclosed)?;
            let variable = Variable::ALL.into_iter().find(|variable| variable.as_str() == name.trim()).ok_or(InvalidTemplate::Unknown)?;
            if !words.is_empty() {
                pieces.push(Piece::Words(words.to_owned()));
            }
            pieces.push(Piece::Place(variable));
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Words(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Words(words) => f.write_str(words),
            Piece::Place(variable) => write!(f, "{{{{{}}}}}", variable.as_str()),
        })
    }
}

/// Why a text is no template.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidTemplate {
    /// It is empty or too long.
    #[error("expected 1 to {TEMPLATE_CHARACTERS_MAX} characters without NUL")]
    Length,
    /// A pair of braces is not closed.
    #[error("expected `}}}}` behind each `{{{{`")]
    Unclosed,
    /// A variable is none of the five.
    #[error("expected `customer_phone`, `agent_extension`, `queue`, `call_time` or `business_name` between the braces")]
    Unknown,
}

/// Why a call does not become a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotFilled {
    /// The call does not have what the template says of it.
    #[error("the call has no `{}`", .0.as_str())]
    Missing(Variable),
    /// The message is longer than any may be.
    #[error("expected a message of at most 4096 characters")]
    TooLong,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "what cannot be made fails its test")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts(queue: &str) -> CallFacts {
        let customer_phone = "+999501234567".parse().unwrap();
        CallFacts { customer_phone, agent_extension: Some("101".to_owned()), queue: Some(queue.to_owned()), call_time: None }
    }

    fn filled(template: &str, queue: &str) -> String {
        template.parse::<Template>().unwrap().fill("Acme & Sons", &facts(queue)).unwrap().as_str().to_owned()
    }

    #[test]
    fn each_variable_has_its_place() {
        let text = "{{business_name}}, {{ queue }}, {{agent_extension}}, {{customer_phone}}: call us.";
        assert_eq!(filled(text, "Sales"), "Acme & Sons, Sales, 101, +999501234567: call us.");
    }

    #[test]
    fn what_is_filled_in_stays_words() {
        for (queue, expected) in [
            ("{{customer_phone}}", "{{customer_phone}}"),
            ("Sales\n\nYou won", "Sales You won"),
            ("*Sales* ~old~ `x`", "Sales old x"),
            ("_Sales_EU_", "Sales_EU"),
            ("\u{202e}selaS\u{200b}\u{e0041}", "selaS"),
            ("> - Sales", "Sales"),
            ("می\u{200c}خواهم 👩\u{200d}🚀", "می\u{200c}خواهم 👩\u{200d}🚀"),
        ] {
            assert_eq!(filled("Queue: {{queue}}", queue), format!("Queue: {expected}"));
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let fill = |text: &str, queue: &str| text.parse::<Template>().unwrap().fill("Acme", &facts(queue));
        assert_eq!(fill("At {{call_time}}", "x"), Err(NotFilled::Missing(Variable::CallTime)));
        assert_eq!(fill("In {{queue}}", " * "), Err(NotFilled::Missing(Variable::Queue)));
        assert_eq!(fill(&"{{queue}}".repeat(50), &"x".repeat(128)), Err(NotFilled::TooLong));
        assert_eq!(NotFilled::Missing(Variable::Queue).to_string(), "the call has no `queue`");
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let long = "x".repeat(TEMPLATE_CHARACTERS_MAX + 1);
        for (text, expected) in [
            ("", InvalidTemplate::Length),
            (" ", InvalidTemplate::Length),
            ("a\0", InvalidTemplate::Length),
            (&long, InvalidTemplate::Length),
            ("Hello {{name}}", InvalidTemplate::Unknown),
            ("Hello {{queue", InvalidTemplate::Unclosed),
            ("{{{{queue}}}}", InvalidTemplate::Unknown),
        ] {
            assert_eq!(text.parse::<Template>(), Err(expected), "{text}");
        }
        assert!("One { and one } are words".parse::<Template>().is_ok());
    }

    proptest! {
        #[test]
        fn a_template_is_written_as_it_was_read(text in "([a-z }\n]|\\{\\{(queue|call_time)\\}\\}){1,40}") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(template.to_string(), text.trim());
                prop_assert_eq!(template.to_string().parse(), Ok(template));
            }
        }

        #[test]
        fn whatever_is_filled_in_is_one_plain_line(queue in any::<String>()) {
            let filled = "{{queue}}".parse::<Template>().unwrap().fill("Acme", &facts(&queue));
            let filled = filled.map(|text| text.as_str().to_owned()).unwrap_or_default();
            prop_assert!(!filled.contains(['*', '~', '`', '\n', '\r']), "{filled:?}");
            prop_assert!(!filled.starts_with(['>', '-', '#']), "{filled:?}");
            prop_assert_eq!(filled.trim(), &filled);
        }
    }
}
