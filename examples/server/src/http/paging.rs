//! Paging: lists in parts, by position.
//!
//! A cursor is the plain position of the last item seen, so that a page neither repeats nor leaves out what was there when it began. It is
//! valid only inside its account: the position of another's item is a place in one's own list.

use std::str::FromStr;

use axum::http::header::LINK;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use gatepost::Page;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::json::Json;
use super::problem::Problem;

/// How many items a page has at most: 1 to 200, 50 where nothing is said.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
pub(super) struct PageSize(u16);

impl Default for PageSize {
    fn default() -> Self {
        Self(50)
    }
}

impl TryFrom<u16> for PageSize {
    type Error = &'static str;

    fn try_from(size: u16) -> Result<Self, &'static str> {
        if (1..=200).contains(&size) { Ok(Self(size)) } else { Err("expected a number from 1 to 200") }
    }
}

/// A part of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = List)]
pub(super) struct List<T> {
    /// The items, in the order that the route tells.
    items: Vec<T>,
    /// What to give as `cursor` for the next part; absent at the end of the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A list that is whole.
    pub(super) const fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }
}

/// Which part of a list is asked for.
pub(super) struct Paging<P> {
    after: Option<P>,
    size: usize,
}

impl<P: FromStr> Paging<P> {
    /// Reads `limit` and `cursor`.
    pub(super) fn read(limit: Option<PageSize>, cursor: Option<&str>) -> Result<Self, Problem> {
        let after = cursor.map(str::parse).transpose();
        let after = after.map_err(|_| Problem::of_field("cursor", "expected the `next_cursor` of an earlier answer"))?;
        Ok(Self { after, size: usize::from(limit.unwrap_or_default().0) })
    }
}

impl<P: Copy + ToString> Paging<P> {
    /// What to ask of the store: one more than is shown, to see whether there is more.
    pub(super) fn page(&self) -> Page<P> {
        Page { after: self.after, limit: self.size + 1 }
    }

    /// What is shown of these rows.
    pub(super) fn list<R, T>(&self, mut rows: Vec<R>, position: impl Fn(&R) -> P, show: impl FnMut(R) -> T) -> List<T> {
        let has_more = rows.len() > self.size;
        rows.truncate(self.size);
        let next_cursor = rows.last().filter(|_| has_more).map(|last| position(last).to_string());
        List { items: rows.into_iter().map(show).collect(), next_cursor }
    }
}

/// The page that begins with the item at this position, and ends with it: the way to one item of a list that is read by position.
pub(super) fn at<P: Copy>(position: P, to_bytes: fn(P) -> [u8; 16], from_bytes: fn([u8; 16]) -> P) -> Page<P> {
    let newer = u128::from_be_bytes(to_bytes(position)).checked_add(1);
    Page { after: newer.map(|newer| from_bytes(newer.to_be_bytes())), limit: 1 }
}

/// A part of a list with a link to the next one.
pub(super) struct Linked<T> {
    list: List<T>,
    link: Option<HeaderValue>,
}

impl<T> List<T> {
    /// The list, linked to the next part of the list at `uri`.
    pub(super) fn linked(self, uri: &Uri) -> Linked<T> {
        let link = self.next_cursor.as_deref().and_then(|cursor| next_link(uri, cursor));
        Linked { list: self, link }
    }
}

fn next_link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let kept = uri.query().into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
    let cursor = format!("cursor={cursor}");
    let pairs: Vec<&str> = kept.chain([cursor.as_str()]).collect();
    HeaderValue::try_from(format!("<{}?{}>; rel=\"next\"", uri.path(), pairs.join("&"))).ok()
}

impl<T: Serialize> IntoResponse for Linked<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.list).into_response();
        if let Some(link) = self.link {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_next_part_keeps_the_filter_and_moves_the_cursor() {
        let link = |uri: &str| next_link(&uri.parse().unwrap(), "7").unwrap().to_str().unwrap().to_owned();
        assert_eq!(link("/v1/x"), r#"</v1/x?cursor=7>; rel="next""#);
        assert_eq!(link("/v1/x?cursor=9&limit=2&status=sent"), r#"</v1/x?limit=2&status=sent&cursor=7>; rel="next""#);
    }

    #[test]
    fn a_page_shows_no_more_than_asked_for_and_says_where_to_go_on() {
        let paging: Paging<u64> = Paging::read(Some(PageSize(2)), Some("9")).unwrap_or_else(|_| panic!("a page"));
        assert_eq!(paging.page(), Page { after: Some(9), limit: 3 });
        let list = paging.list(vec![8_u64, 7, 6], |row| *row, |row| row);
        assert_eq!((list.items, list.next_cursor), (vec![8, 7], Some("7".to_owned())));
        let list = paging.list(vec![8_u64, 7], |row| *row, |row| row);
        assert_eq!((list.items, list.next_cursor), (vec![8, 7], None));
    }

    #[test]
    fn a_page_size_out_of_range_is_refused() {
        assert!(PageSize::try_from(0).is_err() && PageSize::try_from(201).is_err());
        assert!(PageSize::try_from(1).is_ok() && PageSize::try_from(200).is_ok());
    }
}
