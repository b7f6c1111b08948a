//! Template: what an administrator uploads to 3CX, so that it asks the gateway and reports to it.

/// The header in which 3CX shows the key that the administrator typed.
pub const KEY_HEADER: &str = "X-Gateway-Key";

/// The CRM template, for a gateway that answers below `base_url`, under this name.
///
/// The key is not in it: the administrator types it into 3CX. It was written by 3CX's documentation and has not been loaded into a phone
/// system yet.
///
/// ```
/// let xml = gatepost_threecx::crm::template("https://gateway.example/3cx/acme/crm", "Acme & Sons");
/// assert!(xml.contains(r#"Name="Acme &amp; Sons""#));
/// assert!(xml.contains(r#"Default="https://gateway.example/3cx/acme/crm""#));
/// ```
pub fn template(base_url: &str, name: &str) -> String {
    let (base_url, name) = (escaped(base_url.trim_end_matches('/')), escaped(name));
    format!(include_str!("template.xml"), base_url = base_url, name = name)
}

/// A text as the value of an attribute. What XML has no place for is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_stays_in_its_place() {
        let xml = template("https://x.example/?a=1&b=\"2\"/", "<Crm>\u{0}\n'{base_url}'");
        assert!(xml.contains(r#"Default="https://x.example/?a=1&amp;b=&quot;2&quot;""#), "{xml}");
        assert!(xml.contains(r#"Name="&lt;Crm&gt;&apos;{base_url}&apos;""#), "{xml}");
    }

    #[test]
    fn every_element_is_closed() {
        let xml = template("https://x.example", "Gateway");
        let mut open = Vec::new();
        for tag in xml.split('<').skip(1).filter(|tag| !tag.starts_with(['?', '!'])) {
            let name = tag.split([' ', '>', '/']).find(|part| !part.is_empty()).unwrap_or_default();
            match (tag.starts_with('/'), tag.split('>').next().is_some_and(|inside| inside.ends_with('/'))) {
                (true, _) => assert_eq!(open.pop(), Some(name), "{tag}"),
                (false, true) => {}
                (false, false) => open.push(name),
            }
        }
        assert_eq!(open, Vec::<&str>::new());
    }

    #[test]
    fn the_key_is_in_its_header_and_nowhere_else() {
        let xml = template("https://x.example", "Gateway");
        let header = format!(r#"<Value Key="{KEY_HEADER}" Passes="0" Type="String">[ApiKey]</Value>"#);
        assert_eq!((xml.matches(&header).count(), xml.matches("[ApiKey]").count()), (3, 3));
        assert!(
            xml.contains(r#"<Parameter Name="ApiKey" Type="String" Parent="General Configuration" Editor="Password" Title="API key:" />"#)
        );
    }

    #[test]
    fn what_is_not_wanted_is_not_asked_for() {
        let xml = template("https://x.example", "Gateway");
        for variable in ["[Transcription]", "[Summary]", "[Sentiment]", "[RecordingUrl]"] {
            assert!(!xml.contains(variable), "{variable}");
        }
    }
}
