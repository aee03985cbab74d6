use super::{arrows_of, faults_of};

const NONE: [&str; 0] = [];

#[test]
fn a_use_of_the_crate_leads_through_the_re_export_to_the_file_that_defines_the_name() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod inner; pub use inner::{A, B};"),
        ("src/inner/mod.rs", "mod a; mod b; pub use a::A; pub use b::B as C; pub use self::C as B;"),
        ("src/inner/a.rs", "use crate::B; pub struct A(B);"),
        ("src/inner/b.rs", "use crate::{A}; pub struct B(Box<A>);"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 files:\n  src/inner/a.rs -> src/inner/b.rs (B)\n  src/inner/b.rs -> src/inner/a.rs (A)"]
    );
}

#[test]
fn a_use_of_super_leads_to_the_file_that_defines_the_name() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod inner;"),
        ("src/inner.rs", "mod a; mod b; use a::A; use b::{b, B};"),
        ("src/inner/a.rs", "use super::{b, super::inner::B}; pub struct A(B);"),
        ("src/inner/b.rs", "use super::a::{self, A}; pub struct B; pub fn b() -> A { a::A }"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 files:\n  src/inner/a.rs -> src/inner/b.rs (B, b)\n  src/inner/b.rs -> src/inner/a.rs (A)"]
    );
}

#[test]
fn a_path_in_code_needs_no_use() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod a; mod b;"),
        ("src/a.rs", "pub fn run() -> bool { let kept = crate::b::LIMIT; kept > 1 }"),
        ("src/b.rs", "pub const LIMIT: u8 = 1; pub fn again<T: Into<bool>>() { if super::a::run() {} }"),
    ]);
    assert_eq!(faults, ["circle of 2 files:\n  src/a.rs -> src/b.rs (LIMIT)\n  src/b.rs -> src/a.rs (run)"]);
}

#[test]
fn an_impl_block_leads_to_the_file_that_defines_its_type() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod task; mod shown;"),
        ("src/task.rs", "use crate::shown::Shown; pub struct Task(Shown);"),
        ("src/shown.rs", "pub struct Shown; impl std::fmt::Display for crate::task::Task { }"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 files:\n  src/shown.rs -> src/task.rs (Task)\n  src/task.rs -> src/shown.rs (Shown)"]
    );
}

#[test]
fn a_type_that_calls_its_own_function_depends_on_the_file_of_the_impl_block() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod task; mod steps;"),
        (
            "src/task.rs",
            "pub struct Task; impl Task { fn run(&self) { self.step(); Self::stop(); self.other.run(); } }",
        ),
        ("src/steps.rs", "use crate::task::Task; impl Task { pub fn step(&self) {} pub fn stop() {} }"),
    ]);
    assert_eq!(
        faults,
        [
            "circle of 2 files:\n  src/steps.rs -> src/task.rs (Task)\n  src/task.rs -> src/steps.rs (Task::step, Task::stop)"
        ]
    );
}

#[test]
fn a_method_call_on_a_variable_with_a_type_annotation_depends_on_the_file_of_the_impl_block() {
    for code in [
        "fn run(record: &Record) { record.fail(); }",
        "fn run(mut record: Box<Record>) { record.fail(); }",
        "fn run() { let record: &mut std::sync::Arc<crate::record::Record> = of(); record.fail(); }",
        "fn run() { use super::record::Record as Other; let record: Other = of(); record.fail(); }",
        "fn run() { of(|record: &Record| record.fail()); }",
        "impl Record { fn run(other: &Self) { other.fail(); } }",
        "fn run(record: &Record) { assert!(record.fail(), \"{record}\"); }",
    ] {
        let faults = faults_of(&[
            ("src/lib.rs", "mod record; mod steps; mod a;"),
            ("src/record.rs", "pub struct Record;"),
            ("src/a.rs", &format!("use crate::record::Record; pub struct A; {code}")),
            ("src/steps.rs", "use crate::a::A; impl crate::record::Record { pub fn fail(&self) {} }"),
        ]);
        let circle = "circle of 2 files:\n  src/a.rs -> src/steps.rs (Record::fail)\n  src/steps.rs -> src/a.rs (A)";
        assert_eq!(faults, [circle], "{code}");
    }
}

#[test]
fn a_method_of_a_variable_of_another_type_is_no_arrow() {
    for code in [
        "fn run(record: &Other) { record.fail(); }",
        "fn run<Record: Fails>(record: Record) { record.fail(); }",
        "fn run(record: &Record) { let record = 1; record.fail(); }",
        "fn run(record: &Record) { record.other.fail(); record.missing(); }",
        "fn run(record: Option<Record>) { record.fail(); }",
        "fn run(record: &Record) {} fn other() { record.fail(); }",
    ] {
        let arrows = arrows_of(&[
            ("src/lib.rs", "mod record; mod steps; mod a;"),
            ("src/record.rs", "pub struct Record;"),
            ("src/a.rs", &format!("use crate::record::Record; {code}")),
            ("src/steps.rs", "impl crate::record::Record { pub fn fail(&self) {} }"),
        ]);
        assert_eq!(arrows, ["a.rs -> record.rs (Record)", "steps.rs -> record.rs (Record)"], "{code}");
    }
}

#[test]
fn a_circle_of_three_files_is_found() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod a; mod b; mod c;"),
        ("src/a.rs", "use crate::b::B; pub struct A;"),
        ("src/b.rs", "use crate::c::C; pub struct B;"),
        ("src/c.rs", "use crate::a::A; pub struct C;"),
    ]);
    assert_eq!(
        faults,
        ["circle of 3 files:\n  src/a.rs -> src/b.rs (B)\n  src/b.rs -> src/c.rs (C)\n  src/c.rs -> src/a.rs (A)"]
    );
}

#[test]
fn folders_can_form_a_circle_when_no_files_do() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod run; mod record;"),
        ("src/run.rs", "mod launch; pub mod clock;"),
        ("src/run/launch.rs", "use crate::record::entry::Entry;"),
        ("src/run/clock.rs", "pub struct Clock;"),
        ("src/record/mod.rs", "use crate::run::clock::Clock; pub mod entry;"),
        ("src/record/entry.rs", "pub struct Entry;"),
    ]);
    assert_eq!(
        faults,
        ["circle of 2 folders in src/:\
          \n  src/record/ -> src/run/\n      src/record/mod.rs -> src/run/clock.rs (Clock)\
          \n  src/run/ -> src/record/\n      src/run/launch.rs -> src/record/entry.rs (Entry)"]
    );
}

#[test]
fn a_file_may_import_from_a_folder_that_imports_another_file() {
    let faults = faults_of(&[
        ("src/lib.rs", "mod manager; mod run; mod error;"),
        ("src/manager.rs", "use crate::run::launch;  fn start() { launch::launch() }"),
        ("src/run.rs", "pub mod launch;"),
        ("src/run/launch.rs", "use crate::error::Error; pub fn launch() {}"),
        ("src/error.rs", "pub struct Error;"),
    ]);
    assert_eq!(faults, NONE);
}

#[test]
fn paths_in_a_macro_call_count() {
    for call in [
        "format!(\"{}\", crate::b::B)",
        "tokio::select! { biased; found = other.b() => {} , _ = crate::b::B.run(), if true => { 1 } }",
        "json!({ \"key\": [crate::b::B], other: 1 })",
        "vec![crate::b::B; 3]",
        "crate::b::made!(field.B)",
    ] {
        let faults = faults_of(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", &format!("pub struct A; fn run() {{ {call}; }}")),
            ("src/b.rs", "use crate::a::A; pub struct B; macro_rules! made { () => {} } pub(crate) use made;"),
        ]);
        let name = if call.contains("made") { "made" } else { "B" };
        let circle = format!("circle of 2 files:\n  src/a.rs -> src/b.rs ({name})\n  src/b.rs -> src/a.rs (A)");
        assert_eq!(faults, [circle], "{call}");
    }
}

#[test]
fn paths_in_a_macro_definition_count_where_the_macro_is_defined() {
    let arrows = arrows_of(&[
        ("src/lib.rs", "#[macro_use] mod made; mod a; mod b;"),
        ("src/made.rs", "macro_rules! made { ($name:ident) => { $crate::b::B::$name(A) } }"),
        ("src/a.rs", "pub struct A; fn run() { made!(new); }"),
        ("src/b.rs", "pub struct B;"),
    ]);
    assert_eq!(arrows, ["a.rs -> made.rs (made)", "made.rs -> b.rs (B)"]);
}

#[test]
fn every_path_in_a_macro_definition_is_resolved_in_the_defining_module() {
    for (body, name) in [
        ("super::b::B", "B"),
        ("fn new() -> super::b::B { super::b::B }", "B"),
        ("b::B::new()", "B"),
        ("$crate::b::made!()", "made"),
        ("use $crate::b::{self, B};", "B"),
        ("use $crate::{a::A, b::B};", "B"),
        ("use $crate::b::{B as One};", "B"),
        ("$crate::b::$name(1)", "crate::b::…"),
        ("b::$name", "b::…"),
        ("use super::b::*;", "super::b::…"),
        ("$crate::b::Status::$name", "Status"),
    ] {
        let a = format!("use crate::b; pub struct A; macro_rules! m {{ ($name:ident, $b:expr) => {{ {body} }} }}");
        let b = "use crate::a::A; pub struct B; pub struct One; pub enum Status { One } macro_rules! made { () => {} } pub(crate) use made;";
        let faults = faults_of(&[("src/lib.rs", "mod a; mod b;"), ("src/a.rs", &a), ("src/b.rs", b)]);
        let circle = format!("circle of 2 files:\n  src/a.rs -> src/b.rs ({name})\n  src/b.rs -> src/a.rs (A)");
        assert_eq!(faults, [circle], "{body}");
    }
}

#[test]
fn a_variable_in_a_macro_definition_is_no_arrow() {
    let a = "use super::*; macro_rules! m { ($b:expr, $x:ident: $B:ty) => { let b = $b.b; x.b(b, $B); \"b\" } }";
    assert_eq!(
        arrows_of(&[
            ("src/lib.rs", "mod a; mod b; pub use b::{b, B};"),
            ("src/a.rs", a),
            ("src/b.rs", "pub fn b() {} pub struct B;")
        ]),
        NONE
    );
}

#[test]
fn imports_of_test_code_make_no_circle() {
    let b = "use crate::a::A; pub struct B;";
    for test in [
        "#[cfg(test)] mod tests { use super::*; use crate::b::B; }",
        "#[cfg(all(test, unix))] mod tests { use crate::b::B; }",
        "#[cfg(test)] #[path = \"tests/of_a.rs\"] mod tests;",
        "#[cfg(test)] use crate::b::B;",
        "#[test] fn works() { crate::b::B; }",
        "#[tokio::test] async fn works() { crate::b::B; }",
        "impl A { #[cfg(test)] fn b() -> crate::b::B { } }",
    ] {
        let a = format!("pub struct A; {test}");
        let files = [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", a.as_str()), ("src/b.rs", b)];
        assert_eq!(faults_of(&files), NONE, "{test}");
    }
}

#[test]
fn imports_of_code_that_is_not_only_for_tests_count() {
    for condition in ["not(test)", "any(test, feature = \"test\")", "feature = \"test\""] {
        let a = format!("pub struct A; #[cfg({condition})] use crate::b::B;");
        let files = [("src/lib.rs", "mod a; mod b;"), ("src/a.rs", a.as_str()), ("src/b.rs", "pub struct B;")];
        assert_eq!(arrows_of(&files), ["a.rs -> b.rs (B)"], "{condition}");
    }
}

#[test]
fn a_name_that_a_nearer_scope_binds_is_no_arrow() {
    let lib = "mod names; mod a; pub use names::*;";
    let names_file =
        "pub fn mark() {} pub struct Item; pub trait T { } pub mod time { pub fn now() {} } pub const MOST: u8 = 1;";
    for code in [
        "fn run(mark: fn()) { mark(); }",
        "fn run() { let mark = 1; mark; }",
        "fn run() { let run = |mark: fn()| mark(); }",
        "fn run() { for mark in 0..1 { mark; } }",
        "fn run() { if let Some(mark) = x && mark {} }",
        "fn run() { match x { Some(mark) if mark => mark, _ => 1 } }",
        "fn run() { fn mark() {} mark(); }",
        "fn run() { struct Item; let item = Item; }",
        "fn run(x: X) { x.mark(); x.mark; x.Item; }",
        "fn run() { Other { mark: 1, time: 2 }; }",
        "fn run<Item: Clone>(item: Item) { Item::default() }",
        "struct Held<Item>(Item);",
        "impl<Item> Clone for Held<Item> { fn clone(&self) -> Item { Item::new() } }",
        "fn run<I: Iterator<Item = u8>>(i: I) -> I::Item { }",
        "impl Iterator for Held { type Item = u8; fn next(&mut self) -> Option<Self::Item> { Self::mark() } }",
        "fn run<T>() -> <T as Iterator>::Item { <T>::mark() }",
        "fn run() { let time = 1; format!(\"{}\", time); assert!(x.mark(), \"{}\", y.Item); }",
        "fn run() { select! { mark = x => mark(), Item: 1 } }",
        "/// [`Item`], `crate::names::mark`\n#[doc = \"Item\"] struct Told;",
        "#[serde(rename = \"Item\", default)] struct Told;",
        "use std::time; fn run() { time::now() }",
    ] {
        let a = format!("use super::*; {code}");
        let files = [("src/lib.rs", lib), ("src/a.rs", a.as_str()), ("src/names.rs", names_file)];
        assert_eq!(arrows_of(&files), NONE, "{code}");
    }
    for (code, names) in
        [("fn run() { mark(); let mark = 1; }", "mark"), ("fn run<T>() { Item; time::now() }", "Item, now")]
    {
        let a = format!("use super::*; {code}");
        let files = [("src/lib.rs", lib), ("src/a.rs", a.as_str()), ("src/names.rs", names_file)];
        assert_eq!(arrows_of(&files), [format!("a.rs -> names.rs ({names})")], "{code}");
    }
}

#[test]
fn every_form_of_import_and_path_is_understood() {
    for code in [
        "use crate::Name;",
        "use crate::b::Name;",
        "use crate::{b::{self, Name as _}};",
        "use super::b as other; fn run() { other::Name; }",
        "use super::*; fn run() { let x: &dyn Fn(Name) = y; }",
        "use super::b::*; fn run<T: Into<Name>>() {}",
        "fn run() { use crate::b; b::Name; }",
        "fn run() { use crate::b::*; x(Name); }",
        "fn run() { match x { super::Name => 1 } }",
        "fn run() { let super::Name { .. } = x; }",
        "impl Clone for super::Name {}",
        "struct Held<T = super::Name>(T);",
        "#[serde(with = \"crate::b::Name\")] struct Told;",
        "#[cfg(feature = \"x\")] fn run() -> impl Into<crate::Name> {}",
        "mod inline { mod deeper { use super::super::super::b::Name; } }",
        "use crate::Renamed;",
    ] {
        let files = [
            ("src/lib.rs", "mod a; mod b; pub use b::{Name, Name as Renamed};"),
            ("src/a.rs", code),
            ("src/b.rs", "pub struct Name; mod inner { use super::Name; }"),
        ];
        assert_eq!(arrows_of(&files), ["a.rs -> b.rs (Name)"], "{code}");
    }
}

#[test]
fn a_module_that_a_serde_attribute_names_counts() {
    let arrows = arrows_of(&[
        ("src/lib.rs", "mod a; mod wire;"),
        ("src/a.rs", "struct A { #[serde(rename(serialize = \"b\"), with = \"crate::wire\", default)] b: u8 }"),
        ("src/wire.rs", "pub fn serialize() {} pub fn deserialize() {}"),
    ]);
    assert_eq!(arrows, ["a.rs -> wire.rs (deserialize, serialize)"]);
}

#[test]
fn a_variant_leads_to_the_file_of_its_enum() {
    for code in [
        "use crate::Status::Queued;",
        "use crate::Status::*; fn run() { Queued; }",
        "const S: u8 = crate::Status::Queued as u8;",
    ] {
        let files = [
            ("src/lib.rs", "mod a; mod status; pub use status::Status;"),
            ("src/a.rs", code),
            ("src/status.rs", "pub enum Status { Queued }"),
        ];
        assert_eq!(arrows_of(&files), ["a.rs -> status.rs (Status)"], "{code}");
    }
}

#[test]
fn a_module_that_only_re_exports_its_child_does_not_import_it_but_one_that_uses_it_does() {
    let child = ("src/record/entry.rs", "use super::Record; pub struct Entry;");
    let files = |record| [("src/lib.rs", "mod record;"), ("src/record.rs", record), child];
    assert_eq!(faults_of(&files("mod entry; pub(crate) use entry::Entry; pub struct Record;")), NONE);
    assert_eq!(
        faults_of(&files("mod entry; pub(crate) use entry::Entry; pub struct Record(Entry);")),
        ["circle of 2 files:\
          \n  src/record.rs -> src/record/entry.rs (Entry)\n  src/record/entry.rs -> src/record.rs (Record)"]
    );
}

#[test]
fn a_module_of_re_exports_alone_imports_nothing_but_one_with_code_does() {
    let b = ("src/b.rs", "pub struct B;");
    let lib = ("src/lib.rs", "mod a; mod b;");
    assert_eq!(arrows_of(&[lib, b, ("src/a.rs", "pub use crate::b::B;")]), NONE);
    assert_eq!(arrows_of(&[lib, b, ("src/a.rs", "pub use crate::b::B; pub fn run() {}")]), ["a.rs -> b.rs (B)"]);
}

#[test]
fn files_are_found_where_rust_looks_for_them() {
    let arrows = arrows_of(&[
        ("src/lib.rs", "mod one; mod two; mod inline { mod below; } #[path = \"else/where.rs\"] mod three; mod end;"),
        ("src/one.rs", "mod child;"),
        ("src/one/child.rs", "use crate::end::End;"),
        ("src/two/mod.rs", "mod child; #[path = \"other.rs\"] mod renamed;"),
        ("src/two/child.rs", "use crate::end::End;"),
        ("src/two/other.rs", "use crate::end::End;"),
        ("src/inline/below.rs", "use crate::end::End;"),
        ("src/else/where.rs", "mod child;"),
        ("src/else/child.rs", "use crate::end::End;"),
        ("src/end.rs", "pub struct End;"),
        ("src/bin/tool.rs", "mod part; use part::Part;"),
        ("src/bin/part.rs", "pub struct Part;"),
        ("member/Cargo.toml", ""),
        ("member/src/main.rs", "mod part; use part::Part;"),
        ("member/src/part.rs", "pub struct Part;"),
    ]);
    assert_eq!(
        arrows,
        [
            "member/main.rs -> member/part.rs (Part)",
            "bin/tool.rs -> bin/part.rs (Part)",
            "else/child.rs -> end.rs (End)",
            "inline/below.rs -> end.rs (End)",
            "one/child.rs -> end.rs (End)",
            "two/child.rs -> end.rs (End)",
            "two/other.rs -> end.rs (End)",
        ]
    );
}

#[test]
fn a_module_without_a_file_is_an_error() {
    let sources = super::sources(&[("src/lib.rs", "mod gone;")]);
    let error = super::arrows(&sources).map(|_| ()).expect_err("there is no such file");
    assert_eq!(error.to_string(), "src/lib.rs says `mod gone;`, but there is no src/gone.rs and no src/gone/mod.rs");
}

#[test]
fn an_import_from_this_crate_that_leads_nowhere_is_an_error() {
    for (code, line, path) in [
        ("use crate::gone;", 1, "crate::gone"),
        ("\nuse super::b::{\n    B,\n    Gone,\n};", 4, "super::b::Gone"),
        ("use crate::gone::*;", 1, "crate::gone"),
        ("fn run() {\n    use self::Gone as _;\n}", 2, "self::Gone"),
        ("use crate::b::Private;", 1, "crate::b::Private"),
    ] {
        let b = "use std::fmt; pub struct B; struct Private;";
        let sources = super::sources(&[("src/lib.rs", "mod a; mod b;"), ("src/a.rs", code), ("src/b.rs", b)]);
        let error = super::arrows(&sources).map(|_| ()).expect_err("the import leads nowhere");
        let start = format!("src/a.rs:{line} imports {path}, whose definition was not found: ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn an_import_of_what_another_crate_defines_is_no_error_and_no_arrow() {
    for lib in ["pub use tokio::*; mod a;", "pub use tokio::Name; mod a;", "extern crate tokio as Name; mod a;"] {
        assert_eq!(arrows_of(&[("src/lib.rs", lib), ("src/a.rs", "use crate::Name;")]), NONE, "{lib}");
    }
}

#[test]
fn a_name_that_a_macro_call_defines_is_found() {
    for (b, code) in [
        (
            "macro_rules! ids { ($($name:ident),*) => { $(pub struct $name;)* } } ids!(Other, Name);",
            "use crate::b::Name;",
        ),
        ("thread_local! { pub static Name: u8 = 1; }", "use super::b::*; fn run() { Name.get() }"),
        ("macro_rules! fixed { () => { pub struct Name; } } fixed!();", "fn run() { crate::b::Name; }"),
        ("use crate::fixed; fixed! {}", "use crate::b::{Name};"),
        ("bitflags! { #[derive(Debug)] pub struct Name: u8 { const A = 1; } }", "use super::b::Name;"),
    ] {
        let lib = "#[macro_use] mod made; mod a; mod b;";
        let made = "#[macro_export] macro_rules! fixed { (1) => {}; () => { pub(crate) enum Name {} } }";
        let arrows = arrows_of(&[("src/lib.rs", lib), ("src/a.rs", code), ("src/b.rs", b), ("src/made.rs", made)]);
        assert_eq!(arrows.first().map(String::as_str), Some("a.rs -> b.rs (Name)"), "{b}");
    }
}

#[test]
fn a_type_in_a_macro_call_is_not_taken_for_an_item_that_the_call_defines() {
    for kind in ["&'static Name", "*const Name", "*mut Name"] {
        let a = format!("use crate::b::*; thread_local! {{ static mut HELD: {kind} = held(); }} fn run(_: Name) {{}}");
        let arrows = arrows_of(&[("src/lib.rs", "mod a; mod b;"), ("src/a.rs", &a), ("src/b.rs", "pub struct Name;")]);
        assert_eq!(arrows, ["a.rs -> b.rs (Name)"], "{kind}");
    }
}

#[test]
fn a_raw_name_is_the_same_as_the_plain_one() {
    let arrows = arrows_of(&[
        ("src/lib.rs", "mod r#type; mod a;"),
        ("src/a.rs", "use crate::r#type::{r#match, tag as r#use}; fn run() { r#use(); crate::r#type::r#loop!(); }"),
        (
            "src/type.rs",
            "pub fn r#match() {} pub fn r#tag() {} macro_rules! r#loop { () => {} } pub(crate) use r#loop;",
        ),
    ]);
    assert_eq!(arrows, ["a.rs -> type.rs (loop, match, tag)"]);
}
