//! Evolution hosts: where Evolution API may be.
//!
//! An account names the URL of its Evolution API, and the gateway calls it from inside the operator's network. So the destination policy of
//! providers judges it, and where the operator has listed hosts, it must be one of them.

use gatepost::{Destination, DestinationPolicy};

/// Where Evolution API may be.
#[derive(Clone, Debug)]
pub struct EvolutionHosts {
    policy: DestinationPolicy,
    /// All that the policy allows where it is empty.
    hosts: Vec<String>,
}

impl EvolutionHosts {
    /// These hosts, or any where there are none, as far as `policy` allows.
    pub fn new(policy: DestinationPolicy, hosts: Vec<String>) -> Self {
        Self { policy, hosts }
    }

    /// Judges the URL of an Evolution API.
    ///
    /// # Errors
    ///
    /// What speaks against it, for whoever typed it.
    pub fn permit(&self, base_url: &str) -> Result<Destination, String> {
        let destination = self.policy.parse(base_url).map_err(|refusal| refusal.to_string())?;
        let host = destination.host().to_string();
        let host = host.trim_matches(['[', ']']);
        let is_listed = self.hosts.is_empty() || self.hosts.iter().any(|listed| listed == host);
        if is_listed { Ok(destination) } else { Err("expected a host that the operator lists in `providers.evolution_hosts`".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listed: &[&str]) -> EvolutionHosts {
        EvolutionHosts::new(DestinationPolicy::production(), listed.iter().map(|host| (*host).to_owned()).collect())
    }

    #[test]
    fn any_host_that_the_policy_allows_is_permitted_unless_some_are_listed() {
        assert!(hosts(&[]).permit("https://evolution.example.com/api").is_ok());
        assert!(hosts(&[]).permit("https://10.0.0.7").is_err());
        let listed = hosts(&["evolution.example.com", "93.184.215.14"]);
        for (url, expected) in [
            ("https://Evolution.Example.com:8443", true),
            ("https://93.184.215.14/", true),
            ("https://other.example.com", false),
            ("https://evolution.example.com.other.example.com", false),
        ] {
            assert_eq!(listed.permit(url).is_ok(), expected, "{url}");
        }
    }
}
