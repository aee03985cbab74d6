use std::collections::{BTreeMap, HashMap};

use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde::{
    Deserialize, Serialize,
    de::value::{MapDeserializer, SeqDeserializer},
};
use serde_json::{Value, json};

use super::{Json, Misfit, RAW, any_value::NUMBER};
use crate::{CancelReason, FailureKind, Outcome, TaskFailure, TimeLimit};

fn keys() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "\\PC{0,6}",
        1 => Just(RAW.to_owned()),
        1 => Just(NUMBER.to_owned()),
        1 => prop::sample::select(vec!["status", "data", "kind", "error", "", "\u{0}"]).prop_map(str::to_owned),
    ]
}

/// Returns the object with these members. If a crate turns on `arbitrary_precision` of `serde_json`, an object can't be told
/// from a number that is handed over as one, so it is none of these.
fn object(mut members: BTreeMap<String, Value>) -> Value {
    if serde_json::from_str::<Value>("1e400").is_ok() {
        members.retain(|key, member| key != NUMBER || !member.is_string());
    }
    Value::Object(members.into_iter().collect())
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
        prop_oneof![vec(inner.clone(), 0..6).prop_map(Value::from), btree_map(keys(), inner, 0..6).prop_map(object)]
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
        1 => Just(Outcome::Failed(failure(FailureKind::RuntimeEnded))),
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

/// The ways in which serde takes JSON apart when it writes it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "a tag")]
enum TakenApart {
    Alone(Json),
    Flat {
        #[serde(flatten)]
        json: Json,
    },
}

/// The same with a `Value`.
#[derive(Serialize)]
#[serde(tag = "a tag")]
enum TakenApartValue {
    Alone(Value),
    Flat {
        #[serde(flatten)]
        json: Value,
    },
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

proptest! {
    #[test]
    fn json_is_taken_apart_as_a_value_is(value in values()) {
        let (json, is_object) = (Json::from(value.clone()), value.is_object());
        if value.is_number() {
            // With `arbitrary_precision`, a `Value` would be taken apart into a struct.
            for taken in [TakenApart::Alone(json.clone()), TakenApart::Flat { json }] {
                prop_assert!(serde_json::to_string(&taken).is_err());
            }
            return Ok(());
        }
        let pairs = [
            (TakenApart::Alone(json.clone()), TakenApartValue::Alone(value.clone())),
            (TakenApart::Flat { json }, TakenApartValue::Flat { json: value }),
        ];
        for (taken, expected) in pairs {
            let text = serde_json::to_string(&taken).ok();
            prop_assert_eq!(&text, &serde_json::to_string(&expected).ok());
            prop_assert_eq!(serde_json::to_value(&taken).ok(), serde_json::to_value(&expected).ok());
            // What isn't an object has no place beside a tag.
            if is_object {
                prop_assert_eq!(&serde_json::from_str::<TakenApart>(&text.unwrap()).unwrap(), &taken);
            }
        }
    }

    /// Without zeros at its ends, a number has one text.
    #[test]
    fn the_same_number_is_equal_in_any_notation(
        digits in "[1-9][0-9]{0,40}", power in -60..60_i32, shift in 0..80_usize, minus: bool, other in 0..10_u8,
    ) {
        let sign = if minus { "-" } else { "" };
        let number = |text: String| serde_json::from_str::<Json>(&format!("[{sign}{text}]")).unwrap();
        let plain = number(format!("{digits}e{power}"));
        let zeros = "0".repeat(shift);
        let shift = i32::try_from(shift).unwrap();
        prop_assert_eq!(&plain, &number(format!("{digits}{zeros}E{}", power - shift)));
        prop_assert_eq!(&plain, &number(format!("{digits}.0{zeros}e{power}")));
        prop_assert_eq!(&plain, &number(format!("0.{zeros}{digits}e{:+}", power + shift + i32::try_from(digits.len()).unwrap())));
        prop_assert_ne!(&plain, &number(format!("{digits}e{}", power + 1)));
        let one_more = number(format!("{digits}{other}e{}", power - 1));
        prop_assert_eq!(plain == one_more, other == 0);
    }
}

#[test]
fn the_members_of_taken_apart_json_keep_their_text() {
    let json: Json =
        serde_json::from_str(r#"{ "b": [1e2,  340282366920938463463374607431768211455], "a": 1e400 }"#).unwrap();
    let rest = r#""b":[1e2,  340282366920938463463374607431768211455],"a":1e400}"#;
    for (taken, variant) in [(TakenApart::Alone(json.clone()), "Alone"), (TakenApart::Flat { json }, "Flat")] {
        assert_eq!(serde_json::to_string(&taken).unwrap(), format!(r#"{{"a tag":"{variant}",{rest}"#));
    }
}

#[test]
fn a_serializer_that_keeps_no_text_gets_the_value() {
    #[derive(Serialize)]
    enum Two {
        Two(Json, Json),
    }
    /// Serde copies both into a buffer of its own.
    #[derive(Serialize)]
    #[serde(tag = "a tag")]
    enum Buffered {
        Both(Two),
    }
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let written = |text: &str| serde_json::to_string(&Buffered::Both(Two::Two(json(text), Json::null())));
    for (text, expected) in [
        (r#" { "b" : [ true , null ], "a" : "\u0041" } "#, r#"{"b":[true,null],"a":"A"}"#),
        ("[18446744073709551615,-9223372036854775808]", "[18446744073709551615,-9223372036854775808]"),
        ("[-0,1e2]", "[-0.0,100.0]"),
        ("18446744073709551616", "1.8446744073709552e+19"),
    ] {
        assert_eq!(written(text).unwrap(), format!(r#"{{"a tag":"Both","Two":[{expected},null]}}"#));
    }
    assert!(written("[1e400]").unwrap_err().to_string().contains("too large"));
    let deep = |levels: usize| written(&format!("{}1{}", "[".repeat(levels), "]".repeat(levels)));
    assert!(deep(127).is_ok());
    for levels in [128, 100_000] {
        assert!(deep(levels).unwrap_err().to_string().contains("127 levels"));
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
    for (one, other) in [
        ("1.50", "1.5"),
        ("1e2", "100.0"),
        ("1e400", "10e399"),
        ("0.0", "-0.00e9"),
        (r#""\u0041""#, "\"A\""),
        ("[ 1e99999999999999999999 ]", "[1e99999999999999999999]"),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
    ] {
        assert_eq!(json(one), json(other));
    }
    let large = "340282366920938463463374607431768211456";
    for (one, other) in [
        ("1", "1.0"),
        ("1.5", "-1.5"),
        (large, "340282366920938463463374607431768211455"),
        ("18446744073709551616", "18446744073709551617"),
        ("0.1", "0.10000000000000000555"),
        ("[1]", "[1,1]"),
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        ("true", "false"),
        ("null", "0"),
    ] {
        assert_ne!(json(one), json(other));
    }
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
fn integers_of_any_size_are_read() {
    use serde::de::value::{I128Deserializer, U128Deserializer};
    for number in [0, u128::from(u64::MAX) + 1, u128::MAX] {
        assert_eq!(
            Json::deserialize(U128Deserializer::<serde_json::Error>::new(number)).unwrap().text(),
            number.to_string()
        );
        let list = SeqDeserializer::<_, serde_json::Error>::new([number].into_iter());
        let expected: Value = serde_json::from_str(&format!("[{number}]")).unwrap();
        assert_eq!(Value::try_from(Json::deserialize(list).unwrap()).unwrap(), expected, "as `serde_json` reads it");
    }
    for number in [0, i128::MIN, -1, i128::from(i64::MIN) - 1] {
        assert_eq!(
            Json::deserialize(I128Deserializer::<serde_json::Error>::new(number)).unwrap().text(),
            number.to_string()
        );
    }
    // A crate of the app may make `serde_json` hand over a number like this. What that is depends on its features.
    for text in ["1.5", "1e400", "340282366920938463463374607431768211455", "no number", ""] {
        let number = || [(NUMBER, text)].into_iter();
        let as_value = Value::deserialize(MapDeserializer::<_, serde_json::Error>::new(number()));
        let json = Json::deserialize(MapDeserializer::<_, serde_json::Error>::new(number())).unwrap();
        let object = json!({ NUMBER: text });
        assert_eq!(Value::try_from(json).unwrap(), as_value.unwrap_or(object));
    }
}

#[test]
fn an_outcome_is_read_whatever_comes_first() {
    for data in [r#"{ "output": 340282366920938463463374607431768211455 }"#, r#"{"output":{"b":[1e400],"a":-0}}"#] {
        for text in [
            format!(r#"{{ "data": {data}, "status": "completed" }}"#),
            format!(r#"{{ "status": "completed", "data": {data} }}"#),
        ] {
            let Outcome::Completed { output } = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
            assert!(data.contains(output.text()), "{text}");
        }
    }
    for wrong in [
        json!({ "status": "completed" }),
        json!({ "status": "completed", "data": {} }),
        json!({ "status": "done", "data": {} }),
        json!({ "status": "cancelled", "data": { "output": 1 } }),
        json!({ "data": {} }),
    ] {
        assert!(serde_json::from_value::<Outcome>(wrong.clone()).is_err(), "{wrong}");
    }
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

#[test]
fn what_is_said_of_a_misfit_is_short_however_long_the_json_is_and_ends_with_what_was_expected() {
    for letter in ["x", "é", "🦀"] {
        for size in [100, 1_000, 1_001, 1_002, 1_003, 1_000_000] {
            let long = Json::new(&letter.repeat(size)).unwrap();
            let Misfit { problem, .. } = long.read_exactly::<bool>().unwrap_err();
            assert!(problem.starts_with(&format!("invalid type: string \"{letter}")), "{problem}");
            assert!(problem.ends_with(&format!("{letter}\", expected a boolean")), "{problem}");
            assert!(problem.len() <= 1_024, "{} bytes", problem.len());
            assert_eq!(problem.contains('…'), letter.len() * size + 43 > 1_024, "{} bytes", problem.len());
        }
    }
    let name = "é".repeat(100_000);
    let Misfit { path, .. } = Json::from(json!({ name: "x" })).read_exactly::<HashMap<String, u32>>().unwrap_err();
    assert!(path.len() <= 1_024 && path.ends_with('…'), "{path}");
}
