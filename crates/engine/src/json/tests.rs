use std::collections::HashMap;

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde::{
    Deserialize, Serialize,
    de::value::{MapDeserializer, SeqDeserializer},
};
use serde_json::{Value, json};

use super::{Json, RAW};
use crate::{CancelReason, FailureKind, Outcome, TaskFailure, TimeLimit};

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,6}",
        1 => Just(RAW.to_owned()),
        1 => Just("$serde_json::private::Number".to_owned()),
        1 => prop::sample::select(vec!["status", "data", "kind", "error", "", "\u{0}"]).prop_map(str::to_owned),
    ]
}

/// Any JSON. An object may have the key by which `serde_json` knows a raw value, with a text or something else in it.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-3_i64..=3).prop_map(|near| Value::from((1_i64 << 53) + near)),
        any::<f64>().prop_filter("JSON has no such number", |float| float.is_finite()).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec!["1", "{}", "[", "null", "\"\\u0000\""]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(keys(), inner, 0..6).prop_map(|members| { Value::Object(members.into_iter().collect()) })
        ]
    })
}

fn jsons() -> impl Strategy<Value = Json> {
    values().prop_map(Json::from)
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let failure = |kind| TaskFailure { kind, message: "no".into(), error: None };
    prop_oneof![
        3 => jsons().prop_map(|output| Outcome::Completed { output }),
        3 => jsons().prop_map(|error| {
            Outcome::Failed(TaskFailure { kind: FailureKind::Error, message: "no".into(), error: Some(error) })
        }),
        1 => Just(Outcome::Failed(failure(FailureKind::Panic))),
        1 => Just(Outcome::Failed(failure(FailureKind::Unserializable))),
        1 => Just(Outcome::Cancelled { reason: CancelReason::User }),
        1 => Just(Outcome::TimedOut { limit: TimeLimit::Stalled, message: "late".into() }),
    ]
}

/// The ways in which an app may keep an outcome. Serde buffers the content of most of them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "a tag")]
enum Inside {
    Named { outcome: Outcome, beside: Json },
    Held(Held),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    before: u8,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    List { list: Vec<Option<Outcome>> },
}

/// Writes it as a text or a `Value`, in which the members are in another order, and reads it again.
fn survives<T>(kept: &T) -> Result<(), TestCaseError>
where
    T: Serialize + for<'de> Deserialize<'de> + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(kept).unwrap();
    prop_assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), kept, "from the text {}", text);
    let value = serde_json::to_value(kept).unwrap();
    prop_assert_eq!(&T::deserialize(&value).unwrap(), kept, "from a reference to {}", value);
    prop_assert_eq!(&serde_json::from_value::<T>(value).unwrap(), kept, "from the value");
    Ok(())
}

proptest! {
    #[test]
    fn an_outcome_survives_a_value_and_any_enum_around_it(one in outcomes(), other in outcomes(), beside in jsons()) {
        survives(&one)?;
        survives(&beside)?;
        survives(&Held { before: 1, outcome: one.clone() })?;
        survives(&Untagged::List { list: vec![Some(one.clone()), None, Some(other.clone())] })?;
        survives(&Inside::Held(Held { before: 2, outcome: other }))?;
        survives(&Inside::Named { outcome: one, beside })?;
    }

    #[test]
    fn a_json_is_the_value_that_it_was_made_of(value in values()) {
        let json = Json::from(value.clone());
        prop_assert_eq!(json.text(), value.to_string());
        prop_assert_eq!(&Value::try_from(&json).unwrap(), &value);
        prop_assert_eq!(serde_json::to_value(&json).unwrap(), value);
    }
}

#[test]
fn the_text_is_kept_as_it_was_written() {
    for text in
        ["1e2", "{ \"b\": 1, \"a\": 2 }", "340282366920938463463374607431768211455", "1e400", "-0", "\"\\u0041\""]
    {
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(json.text(), text);
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }
}

#[test]
fn a_key_that_is_hidden_by_escapes_is_no_raw_value() {
    let json: Json = serde_json::from_str(r#"{"\u0024serde_json::private::RawValue":"[1"}"#).unwrap();
    assert_eq!(
        serde_json::to_value(&json).unwrap(),
        Value::Object([(RAW.to_owned(), "[1".into())].into_iter().collect())
    );
}

#[test]
fn two_are_equal_if_they_hold_the_same_values() {
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    assert_eq!(json(r#"{"a":1,"b":[true,null]}"#), json(r#"{ "b": [true, null], "a": 1 }"#));
    assert_eq!(json("1e400"), json("1e400"));
    for (one, other) in [("1", "2"), ("[1,2]", "[2,1]"), ("{}", "[]"), ("1e400", "1e401"), ("null", "{\"a\":null}")] {
        assert_ne!(json(one), json(other));
    }
}

#[test]
fn nesting_is_read_as_deep_as_a_value_may_be() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let json: Json = serde_json::from_str(&deep(127)).unwrap();
    let outcome = Outcome::Completed { output: json.clone() };
    let value = serde_json::to_value(&json).unwrap();
    assert_eq!(serde_json::from_value::<Json>(value).unwrap(), json);
    assert_eq!(serde_json::from_value::<Outcome>(serde_json::to_value(&outcome).unwrap()).unwrap(), outcome);
    // The text itself has no such limit.
    let deeper: Json = serde_json::from_str(&deep(100_000)).unwrap();
    assert!(Value::try_from(&deeper).is_err() && serde_json::to_value(&deeper).is_err());
    assert_eq!(deeper, deeper.clone());
}

#[test]
fn a_deserializer_that_knows_no_newtypes_is_read_too() {
    use serde::de::value::Error;
    let list = SeqDeserializer::<_, Error>::new([1_u8, 2].into_iter());
    assert_eq!(Json::deserialize(list).unwrap().text(), "[1,2]");
    let map = HashMap::from([("a", 1_u8)]);
    let map = MapDeserializer::<_, Error>::new(map.into_iter());
    assert_eq!(Json::deserialize(map).unwrap().text(), r#"{"a":1}"#);
    let text = serde::de::value::StrDeserializer::<Error>::new("x");
    assert_eq!(Json::deserialize(text).unwrap().text(), "\"x\"");
}

#[test]
fn an_output_that_does_not_fit_is_not_taken_for_none() {
    let completed = Outcome::Completed { output: json!({ "a": 1 }).into() };
    assert!(completed.output::<String>().unwrap_err().to_string().contains("expected a string"));
    assert_eq!(completed.output::<Json>().unwrap(), Some(json!({ "a": 1 }).into()));
    let cancelled = Outcome::Cancelled { reason: CancelReason::User };
    assert_eq!(cancelled.output::<String>().unwrap(), None);
    let null = Outcome::Completed { output: Json::null() };
    assert_eq!(null.output::<Option<u8>>().unwrap(), Some(None));
}
