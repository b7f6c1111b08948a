//! Said: what somebody wrote, or said otherwise than in words.

use gatepost::{Degrees, Intent, Said, SaidCard, SaidDetail, Words};
use serde::Serialize;
use utoipa::ToSchema;

/// What somebody wrote. What they said is absent once its retention is over.
#[derive(Serialize, ToSchema)]
#[schema(as = InboundMessage)]
pub(super) struct SaidShape {
    /// The provider's id of it.
    external_message_id: String,
    /// In which form, for example `text` or `image`.
    #[schema(example = "text")]
    message_type: String,
    /// What can be read as text; absent where there is none, or once its retention is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    message_text: Option<String>,
    /// What they call themself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Alice")]
    sender_name: Option<String>,
    /// The provider's id of the file that came with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<String>,
    /// The cards of people that were sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    contacts: Option<Vec<CardShape>>,
    /// The place that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<PlaceShape>,
    /// The order that was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderShape>,
    /// The emoji on the message that it answers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    reaction: Option<ReactionShape>,
    /// The provider's id of the message it answers to.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to_external_message_id: Option<String>,
    /// What it asks of those who write to them: `opt_out`, `opt_in`, `help`, or `none`.
    #[schema(value_type = String, example = "none")]
    intent: &'static str,
    /// How sure that is: `certain`, `likely`, or `unsure`, which a person must look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "certain")]
    tier: Option<&'static str>,
}

/// A card that names a person.
#[derive(Serialize, ToSchema)]
#[schema(as = InboundCard)]
struct CardShape {
    /// What they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Their numbers, as they were written.
    phones: Vec<String>,
}

/// A place.
#[derive(Serialize, ToSchema)]
#[schema(as = InboundLocation)]
struct PlaceShape {
    /// Degrees; north is positive.
    #[schema(value_type = f64, example = 38.8977)]
    latitude: Degrees,
    /// Degrees; east is positive.
    #[schema(value_type = f64, example = -77.0365)]
    longitude: Degrees,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
}

/// An order from a catalog.
#[derive(Serialize, ToSchema)]
#[schema(as = InboundOrder)]
struct OrderShape {
    /// How many lines it has.
    lines: u32,
}

/// An emoji on a message.
#[derive(Serialize, ToSchema)]
#[schema(as = InboundReaction)]
struct ReactionShape {
    /// The emoji; null where it was taken away.
    emoji: Option<String>,
}

impl SaidShape {
    pub(super) fn of(said: Said) -> Self {
        let shape = Self {
            external_message_id: said.external_id,
            message_type: said.form,
            message_text: said.text.as_ref().map(plain),
            sender_name: said.sender_name.as_ref().map(plain),
            media_id: said.file.and_then(|file| file.id),
            contacts: None,
            location: None,
            order: None,
            reaction: None,
            reply_to_external_message_id: said.reply_to,
            intent: said.meaning.map_or(Intent::None, |meaning| meaning.intent).as_str(),
            tier: said.meaning.map(|meaning| meaning.tier.as_str()),
        };
        match &said.detail {
            Some(detail) => shape.with(detail),
            None => shape,
        }
    }

    fn with(self, detail: &SaidDetail) -> Self {
        match detail {
            SaidDetail::Contacts(cards) => Self { contacts: Some(cards.iter().map(CardShape::from).collect()), ..self },
            SaidDetail::Location { latitude_e6, longitude_e6, name, address } => {
                let [latitude, longitude] = [*latitude_e6, *longitude_e6].map(Degrees::from_millionths);
                let place = PlaceShape { latitude, longitude, name: name.as_ref().map(plain), address: address.as_ref().map(plain) };
                Self { location: Some(place), ..self }
            }
            SaidDetail::Order { lines } => Self { order: Some(OrderShape { lines: *lines }), ..self },
            SaidDetail::Reaction { emoji } => Self { reaction: Some(ReactionShape { emoji: emoji.as_ref().map(plain) }), ..self },
        }
    }
}

impl From<&SaidCard> for CardShape {
    fn from(card: &SaidCard) -> Self {
        Self { name: card.name.as_ref().map(plain), phones: card.phones.iter().map(plain).collect() }
    }
}

/// The words as they are shown to whose they are.
fn plain(words: &Words) -> String {
    words.as_str().to_owned()
}
