//! Scene: what tests of endpoints do with a world.

use axum::http::Method;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::world::{Answer, World};

/// The account of the caller's key.
pub(crate) const ME: &str = "/v1/accounts/me";

/// A path of one of the caller's endpoints.
pub(crate) fn endpoint(made: &Value, rest: &str) -> String {
    format!("{ME}/endpoints/{}{rest}", text(made, "id"))
}

/// A path of one of the caller's deliveries.
pub(crate) fn delivery(made: &Value, rest: &str) -> String {
    format!("{ME}/deliveries/{}{rest}", text(made, "id"))
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

pub(crate) fn items(answer: &Answer) -> &Vec<Value> {
    answer.body["items"].as_array().unwrap_or_else(|| panic!("{}", answer.body))
}

impl World {
    /// Adds an endpoint of the shop that gets these events at the receiver, and gives it as it was answered.
    pub(crate) async fn add_endpoint(&self, receiver: &Receiver, events: &[&str]) -> Value {
        self.add_endpoint_with(json!({"url": receiver.url(), "events": events})).await
    }

    pub(crate) async fn add_endpoint_with(&self, body: Value) -> Value {
        let made = self.post(&format!("{ME}/endpoints"), &self.shop.key, body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.body
    }

    /// Does something with the shop's key that must work.
    pub(crate) async fn did(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let answer = self.ask(method, path, &self.shop.key, body).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.body);
        answer.body
    }

    pub(crate) async fn act(&self, path: &str) -> Value {
        self.did(Method::POST, path, None).await
    }

    pub(crate) async fn read(&self, path: &str) -> Value {
        self.did(Method::GET, path, None).await
    }

    /// The shop's deliveries, newest first.
    pub(crate) async fn deliveries(&self, query: &str) -> Vec<Value> {
        let answer = self.get(&format!("{ME}/deliveries{query}"), &self.shop.key).await;
        items(&answer).clone()
    }

    /// What is read at a path, once it is as it is waited for.
    pub(crate) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let seen = self.read(path).await;
            if is_so(&seen) {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A delivery of the shop that only the operator sees, once it has ended.
    pub(crate) async fn until_by_operator(&self, made: &Value) -> Value {
        let path = self.shop_path(&format!("/deliveries/{}", text(made, "id")));
        loop {
            let seen = self.done(Method::GET, &path, None).await;
            if !matches!(text(&seen, "status"), "queued" | "sending") {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A delivery, once it has ended.
    pub(crate) async fn ended(&self, made: &Value) -> Value {
        self.until(&delivery(made, ""), |seen| !matches!(text(seen, "status"), "queued" | "sending")).await
    }
}
