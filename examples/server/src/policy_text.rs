//! Policies as people write them: a file of TOML, or JSON, with a schema and with errors that name the setting.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gatepost::{Group, InvalidPolicy, Policy, RuleId, Tone, Wording};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::Failure;

/// A policy. What is left out is as usual.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Policy, example = json!({"version": 2, "review_from": 45, "points": {"offer": 35}, "caps": {"link": 50}}))]
pub struct PolicyText {
    /// Grows with each change, and stands in every policy event.
    #[schema(minimum = 1)]
    pub version: u32,
    /// The least risk score of a message that a person must release.
    #[serde(default = "PolicyText::review_from")]
    #[schema(minimum = 1, maximum = 100)]
    pub review_from: u8,
    /// The least risk score of a message that is blocked for its risk; not below `review_from`.
    #[serde(default = "PolicyText::block_from")]
    #[schema(minimum = 1, maximum = 100)]
    pub block_from: u8,
    /// Points of rules that add to the risk, where they are not the usual ones; 0 turns a rule off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub points: BTreeMap<String, u8>,
    /// The most points of groups, where they are not the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub caps: BTreeMap<String, u8>,
    /// How sure the model of the wording must be.
    #[serde(default)]
    pub wording: WordingText,
}

/// How sure the model must be, in hundredths of a logit of its margin.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyWording)]
pub struct WordingText {
    /// What comes to no points yet.
    pub from: i16,
    /// What comes to all points of the rule `wording`; in between they grow evenly.
    pub full: i16,
}

impl Default for WordingText {
    fn default() -> Self {
        let Wording { from, full } = Wording::default();
        Self { from, full }
    }
}

impl PolicyText {
    fn review_from() -> u8 {
        Policy::usual().review_from
    }

    fn block_from() -> u8 {
        Policy::usual().block_from
    }

    /// The policy, if it can be one.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicy`], with the first setting that cannot be.
    pub fn parse(self) -> Result<Policy, InvalidPolicy> {
        let wrong = |field: String, expected: &str| InvalidPolicy { field, expected: expected.to_owned() };
        let mut points = BTreeMap::new();
        for (name, value) in self.points {
            let rule: RuleId =
                name.parse().map_err(|_| wrong(format!("points.{name}"), "expected the name of a rule; `policy schema` lists them"))?;
            points.insert(rule, value);
        }
        let mut caps = BTreeMap::new();
        for (name, value) in self.caps {
            let group: Group =
                name.parse().map_err(|_| wrong(format!("caps.{name}"), "expected the name of a group; `policy schema` lists them"))?;
            caps.insert(group, value);
        }
        let wording = Wording { from: self.wording.from, full: self.wording.full };
        let policy = Policy { version: self.version, review_from: self.review_from, block_from: self.block_from, points, caps, wording };
        policy.check().map(|()| policy)
    }

    /// A policy as it is written.
    pub fn of(policy: &Policy) -> Self {
        Self {
            version: policy.version,
            review_from: policy.review_from,
            block_from: policy.block_from,
            points: policy.points.iter().map(|(rule, points)| (rule.to_string(), *points)).collect(),
            caps: policy.caps.iter().map(|(group, cap)| (group.as_str().to_owned(), *cap)).collect(),
            wording: WordingText { from: policy.wording.from, full: policy.wording.full },
        }
    }
}

/// Reads a file of TOML.
pub fn read(path: &Path) -> Result<Policy, Failure> {
    let wrong = |error: String| Failure::Usage(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let reader = toml::Deserializer::parse(&text).map_err(|error| wrong(error.message().to_owned()))?;
    let policy: PolicyText = serde_path_to_error::deserialize(reader).map_err(|error| {
        let (field, inner) = (error.path().to_string(), error.inner().message());
        wrong(if field == "." { inner.to_owned() } else { format!("`{field}`: {inner}") })
    })?;
    policy.parse().map_err(|error| wrong(error.to_string()))
}

/// The JSON Schema of a policy (draft 2020-12): TOML that is read as JSON must fit.
pub fn schema() -> Value {
    let points = RuleId::ALL.iter().filter(|rule| rule.adds_to_risk());
    let points = points.map(|rule| {
        let usual = format!("{}; group {}, usually {} points", rule.text(), rule.group().as_str(), rule.points());
        (rule.as_str().to_owned(), json!({"description": usual, "type": "integer", "minimum": 0, "maximum": 100}))
    });
    let caps = Group::ALL.into_iter().filter(|group| *group != Group::State).map(|group| {
        let usual = format!("usually {}", group.cap());
        (group.as_str().to_owned(), json!({"description": usual, "type": "integer", "minimum": 0, "maximum": 100}))
    });
    let object =
        |properties: serde_json::Map<String, Value>| json!({"type": "object", "additionalProperties": false, "properties": properties});
    let score = |usual: u8| json!({"type": "integer", "minimum": 1, "maximum": 100, "default": usual});
    let margin = |usual: i16| json!({"type": "integer", "minimum": Tone::HEARD_FROM, "maximum": i16::MAX, "default": usual});
    let usual = Policy::usual();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of Gatepost",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": {
            "version": {"type": "integer", "minimum": 1, "maximum": u32::MAX},
            "review_from": score(usual.review_from),
            "block_from": score(usual.block_from),
            "points": object(points.collect()),
            "caps": object(caps.collect()),
            "wording": {
                "type": "object", "additionalProperties": false, "required": ["from", "full"],
                "properties": {"from": margin(usual.wording.from), "full": margin(usual.wording.full)},
            },
        },
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Policy, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        fs::write(&path, text).unwrap();
        read(&path).map_err(|error| error.to_string().split_once("policy.toml: ").map(|(_, rest)| rest.to_owned()).unwrap_or_default())
    }

    #[test]
    fn a_file_says_what_differs_from_the_usual() {
        let policy =
            parse("version = 7\nreview_from = 45\n[points]\noffer = 35\n[caps]\nlink = 50\n[wording]\nfrom = 10\nfull = 120\n").unwrap();
        assert_eq!((policy.version, policy.review_from, policy.block_from), (7, 45, 80));
        assert_eq!(policy.points, BTreeMap::from([(RuleId::Offer, 35)]));
        assert_eq!(policy.caps, BTreeMap::from([(Group::Link, 50)]));
        assert_eq!(parse("version = 1").unwrap(), *Policy::usual());
        assert_eq!(PolicyText::of(&policy).parse().unwrap(), policy);
    }

    #[test]
    fn what_cannot_be_is_told_with_its_setting() {
        for (text, expected) in [
            ("review_from = 50", "missing field `version`"),
            ("version = 1\nreview_from = \"x\"", "`review_from`: invalid type: string \"x\", expected u8"),
            (
                "version = 1\nrisk = 2",
                "`risk`: unknown field `risk`, expected one of `version`, `review_from`, `block_from`, `points`, `caps`, `wording`",
            ),
            ("version = 1\n[points]\nofer = 2", "`points.ofer`: expected the name of a rule; `policy schema` lists them"),
            (
                "version = 1\n[points]\ndaily_limit = 2",
                "`points.daily_limit`: expected a rule that adds to the risk: this one holds or blocks by itself, or is only noted",
            ),
            (
                "version = 1\n[points]\nlink_executable = 0",
                "`points.link_executable`: expected a rule that adds to the risk: this one holds or blocks by itself, or is only noted",
            ),
            (
                "version = 1\n[points]\nlinks_trusted = 90",
                "`points.links_trusted`: expected a rule that adds to the risk: this one holds or blocks by itself, or is only noted",
            ),
            (
                "version = 1\n[caps]\nstate = 10",
                "`caps.state`: expected a group that adds to the risk: rules of this one hold or block by themselves",
            ),
            ("version = 0", "`version`: expected a whole number from 1 on"),
            ("version = 1\n[caps]\nlinks = 2", "`caps.links`: expected the name of a group; `policy schema` lists them"),
            ("version = 1\nblock_from = 40", "`block_from`: expected a whole number from `review_from` to 100"),
            ("version = 1\nreview_from = 0", "`review_from`: expected a whole number from 1 to 100"),
            ("version = 1\n[wording]\nfrom = 5\nfull = 5", "`wording.full`: expected more than `wording.from`"),
        ] {
            assert_eq!(parse(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn the_model_cannot_be_set_to_block_alone() {
        assert!(parse("version = 1\n[caps]\nwording = 80").unwrap_err().starts_with("`caps.wording`: "));
        assert!(parse("version = 1\nreview_from = 50\nblock_from = 50").unwrap_err().starts_with("`block_from`: "));
        assert!(parse("version = 1\nreview_from = 50\nblock_from = 50\n[caps]\nwording = 40").is_ok());
    }

    #[test]
    fn the_schema_names_every_rule_that_can_be_set() {
        let schema = schema();
        let names = |of: &str| schema["properties"][of]["properties"].as_object().unwrap().clone();
        let (points, caps) = (names("points"), names("caps"));
        for rule in RuleId::ALL {
            let policy = Policy { points: BTreeMap::from([(*rule, 10)]), ..Policy::default() };
            assert_eq!(points.contains_key(rule.as_str()), policy.check().is_ok(), "{rule}");
        }
        for group in Group::ALL {
            let policy = Policy { caps: BTreeMap::from([(group, 10)]), ..Policy::default() };
            assert_eq!(caps.contains_key(group.as_str()), policy.check().is_ok(), "{}", group.as_str());
        }
    }
}
