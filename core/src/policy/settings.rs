//! Settings: what of the rules a policy can change.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::ToString;

use serde::{Deserialize, Serialize};

use super::rules::Rule;
use super::{Effect, Evidence, Group, InvalidPolicy, RuleId};
use crate::Tone;

/// The settings of the rules.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Grows with each change, and stands in every policy event.
    pub version: u32,
    /// The least risk score of a message that a person must release.
    #[serde(default = "review_from")]
    pub review_from: u8,
    /// The least risk score of a message that is blocked for its risk; not below `review_from`.
    #[serde(default = "block_from")]
    pub block_from: u8,
    /// Points of rules, where they are not the usual ones. 0 turns a rule that adds to the risk off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub points: BTreeMap<RuleId, u8>,
    /// Caps of groups, where they are not the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub caps: BTreeMap<Group, u8>,
    /// How sure the model must be.
    #[serde(default, skip_serializing_if = "Wording::is_usual")]
    pub wording: Wording,
}

/// From how sure a model's word counts, in hundredths of a logit of its margin.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// What comes to no points yet; not below [`Tone::HEARD_FROM`].
    pub from: i16,
    /// What comes to all points of the rule; in between they grow evenly.
    pub full: i16,
}

impl Default for Wording {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Wording {
    /// Chosen by cross-validation, so that one wanted message in twenty is held at most (`examples/trainer`, `cross`).
    const USUAL: Self = Self { from: 0, full: 60 };

    fn is_usual(&self) -> bool {
        *self == Self::USUAL
    }

    /// The part of `points` that a margin comes to.
    fn part(self, points: u8, margin: i16) -> u8 {
        let (margin, from, full) = (i32::from(margin), i32::from(self.from), i32::from(self.full));
        if margin >= full {
            return points;
        }
        let part = i32::from(points) * (margin - from).max(0) / (full - from).max(1);
        u8::try_from(part).unwrap_or(points)
    }
}

const fn review_from() -> u8 {
    50
}

const fn block_from() -> u8 {
    80
}

static USUAL: Policy = Policy {
    version: 1,
    review_from: review_from(),
    block_from: block_from(),
    points: BTreeMap::new(),
    caps: BTreeMap::new(),
    wording: Wording::USUAL,
};

impl Default for Policy {
    fn default() -> Self {
        USUAL.clone()
    }
}

impl Policy {
    /// The policy of who sets nothing.
    pub fn usual() -> &'static Self {
        &USUAL
    }

    /// Whether it can be a policy.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicy`], with the first setting that cannot be.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        let wrong = |field: &str, expected: &str| Err(InvalidPolicy { field: field.to_string(), expected: expected.to_string() });
        if self.version == 0 {
            return wrong("version", "expected a whole number from 1 on");
        }
        if !(1..=100).contains(&self.review_from) {
            return wrong("review_from", "expected a whole number from 1 to 100");
        }
        if !(self.review_from..=100).contains(&self.block_from) {
            return wrong("block_from", "expected a whole number from `review_from` to 100");
        }
        if let Some((rule, _)) = self.points.iter().find(|(_, points)| **points > 100) {
            return wrong(&format!("points.{rule}"), "expected a whole number from 0 to 100");
        }
        if let Some(rule) = self.points.keys().find(|rule| !rule.adds_to_risk()) {
            return wrong(
                &format!("points.{rule}"),
                "expected a rule that adds to the risk: this one holds or blocks by itself, or is only noted",
            );
        }
        if self.caps.contains_key(&Group::State) {
            return wrong("caps.state", "expected a group that adds to the risk: rules of this one hold or block by themselves");
        }
        let highest = |group: Group| if group == Group::Wording { self.block_from - 1 } else { 100 };
        if let Some((group, _)) = self.caps.iter().find(|(group, cap)| **cap > highest(**group)) {
            return wrong(
                &format!("caps.{}", group.as_str()),
                "expected a whole number up to 100, and for `wording` one below `block_from`: the model never blocks alone",
            );
        }
        if self.cap(Group::Wording) >= self.block_from {
            return wrong("block_from", "expected more than the cap of `wording`: the model never blocks alone");
        }
        if self.wording.from < Tone::HEARD_FROM {
            return wrong("wording.from", &format!("expected {} at least: the model tells of nothing below", Tone::HEARD_FROM));
        }
        if self.wording.full <= self.wording.from {
            return wrong("wording.full", "expected more than `wording.from`");
        }
        Ok(())
    }

    /// What a rule's finding comes to; nothing where it adds nothing and asks for nothing.
    pub(super) fn points(&self, rule: &Rule, evidence: Evidence) -> Option<u8> {
        let points = self.points.get(&rule.id).copied().unwrap_or(rule.id.points());
        let points = match evidence {
            Evidence::Heard { margin, .. } => self.wording.part(points, margin),
            // The same twice is surer than once.
            Evidence::Found { times, .. } if times > 1 && rule.effect == Effect::Risk => points.saturating_add(points / 2),
            _ => points,
        };
        (rule.effect != Effect::Risk || points > 0).then_some(points)
    }

    /// The most points of a group.
    pub fn cap(&self, group: Group) -> u8 {
        self.caps.get(&group).copied().unwrap_or(group.cap())
    }
}
