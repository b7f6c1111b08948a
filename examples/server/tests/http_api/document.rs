//! The OpenAPI document: what it says, and that it leaves nothing out.

use gatepost_server::http::openapi;
use serde_json::Value;

use crate::world::World;

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    // The order of an object's fields is nobody's business, and depends on what else is compiled.
    insta::with_settings!({sort_maps => true}, { insta::assert_json_snapshot!(openapi()) });
}

#[tokio::test]
async fn the_document_is_served() {
    let answer = World::new().await.get("/openapi.json", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert_eq!(answer.body, document());
    assert_eq!(answer.body["openapi"], "3.1.0");
}

#[test]
fn everything_has_a_description() {
    let document = document();
    let mut lacking = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        lacking.extend((!is_described(schema)).then(|| name.clone()));
        find_fields(schema, name, &mut lacking);
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            lacking.extend(operation["summary"].is_null().then(|| format!("{method} {path}")));
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let undescribed = parameters.filter(|parameter| !is_described(parameter));
            lacking.extend(undescribed.map(|parameter| format!("{method} {path} {}", parameter["name"])));
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

fn find_fields(schema: &Value, name: &str, lacking: &mut Vec<String>) {
    for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
        lacking.extend((!is_described(schema)).then(|| format!("{name}.{field}")));
    }
    schema["allOf"].as_array().into_iter().flatten().for_each(|part| find_fields(part, name, lacking));
}

/// Described itself, or in the one alternative that is not null, or made of parts that are.
fn is_described(schema: &Value) -> bool {
    let has_text = schema["description"].as_str().is_some_and(|text| !text.is_empty());
    let in_part =
        |key: &str| schema[key].as_array().is_some_and(|parts| parts.iter().any(|part| is_described(part) || !part["$ref"].is_null()));
    has_text || in_part("oneOf") || in_part("allOf")
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut lost = Vec::new();
    find_references(&document, &mut |reference| {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        lost.extend(document.pointer(pointer).is_none().then(|| reference.to_owned()));
    });
    assert_eq!(lost, Vec::<String>::new());
}

fn find_references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(entries) => {
            entries.get("$ref").and_then(Value::as_str).into_iter().for_each(&mut *found);
            entries.values().for_each(|value| find_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| find_references(value, found)),
        _ => {}
    }
}

#[test]
fn operations_are_named_once() {
    let document = document();
    let operations = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let mut names: Vec<_> = operations.map(|operation| operation["operationId"].as_str().unwrap().to_owned()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[tokio::test]
async fn the_type_of_a_problem_leads_to_what_it_means() {
    let world = World::new().await;
    let problem = world.get("/v1/nothing", &world.operator).await.body;
    let told = world.get(problem["type"].as_str().unwrap(), "").await;
    assert_eq!(told.status.as_u16(), 200);
    for name in ["type", "code", "status", "title"] {
        assert_eq!(told.body[name], problem[name], "{name}");
    }
    let all = world.get("/problems", "").await.body["items"].clone();
    assert!(all.as_array().unwrap().contains(&told.body));
    assert_eq!(world.get("/problems/nothing", "").await.status.as_u16(), 404);
}
