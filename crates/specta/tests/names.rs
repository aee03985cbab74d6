//! Types with names that are hard to keep. `names.gen.ts` is compiled in `type-tests`.
#![allow(non_camel_case_types)]

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use specta::Type;
use tauri::test::MockRuntime;
use tauri_plugin_tasks::{Builder, Failure, Never, Task, TaskContext};
use tauri_plugin_tasks_specta::TypeScript;

mod a {
    pub mod x {
        use super::super::{Deserialize, Serialize, Type};

        #[derive(Serialize, Deserialize, Type)]
        pub struct Stage {
            done: Option<u32>,
        }

        /// Its name is its tag.
        #[derive(Serialize, Deserialize, Type)]
        #[serde(tag = "type")]
        pub struct Tagged {
            of_a: Option<u32>,
        }
    }
}

mod b {
    pub mod x {
        use super::super::{Deserialize, Serialize, Type};

        #[derive(Serialize, Deserialize, Type)]
        pub struct Stage {
            left: Option<String>,
        }

        #[derive(Serialize, Deserialize, Type)]
        #[serde(tag = "type")]
        pub struct Tagged {
            of_b: bool,
        }
    }
}

mod split {
    use super::{Deserialize, Serialize, Type};

    /// Half of the name that the two halves of `Stage` would get.
    #[derive(Serialize, Deserialize, Type)]
    pub struct Stage_Serialize {
        own: bool,
    }

    /// The whole name, if there were only one `Stage`.
    #[derive(Serialize, Deserialize, Type)]
    pub struct Step {
        step: Option<u32>,
    }

    #[derive(Serialize, Deserialize, Type)]
    pub struct Step_Deserialize {
        not_a_step: Option<bool>,
    }
}

mod language {
    use super::{Deserialize, HashMap, Serialize, Type};

    #[derive(Serialize, Deserialize, Type)]
    pub struct Tasks {
        /// Written as `Partial<…>`, which must not mean the type below.
        by_key: HashMap<Key, Partial>,
        r#type: r#type,
        never: never,
        bytes: Uint8Array,
        record: Record,
        error: Error,
        date: Date,
        number: Number,
        string: String,
        module: keyof,
        undefined: undefined,
    }

    #[derive(Serialize, Deserialize, Type, PartialEq, Eq, Hash)]
    pub enum Key {
        One,
        Two,
    }

    #[derive(Serialize, Deserialize, Type)]
    pub struct Partial(u8, u8);
    #[derive(Serialize, Deserialize, Type)]
    pub struct r#type(u8, bool);
    #[derive(Serialize, Deserialize, Type)]
    pub struct never(bool, u8);
    #[derive(Serialize, Deserialize, Type)]
    pub struct Uint8Array(bool, bool);
    #[derive(Serialize, Deserialize, Type)]
    pub struct Record {}
    #[derive(Serialize, Deserialize, Type)]
    pub struct Error(bool);
    #[derive(Serialize, Deserialize, Type)]
    pub struct Date(u8);
    #[derive(Serialize, Deserialize, Type)]
    pub struct Number(String);
    #[derive(Serialize, Deserialize, Type)]
    pub struct keyof(u8, u8, u8);
    #[derive(Serialize, Deserialize, Type)]
    pub struct undefined(u8, u8, bool);
}

mod ours {
    use super::{Deserialize, Serialize, Type};

    /// Like the engine's type, which another task has.
    #[derive(Serialize, Deserialize, Type)]
    pub struct Failure {
        code: u32,
    }

    #[derive(Serialize, Deserialize, Type)]
    pub struct Never {
        never: bool,
    }
}

mod renamed {
    use super::{Deserialize, Serialize, Type};

    #[derive(Serialize, Deserialize, Type)]
    #[serde(rename = "not an identifier")]
    pub struct Spaced {
        spaced: bool,
    }

    #[derive(Serialize, Deserialize, Type)]
    #[serde(rename = "Stage")]
    pub enum Phase {
        First,
        Last,
    }

    #[derive(Serialize, Deserialize, Type)]
    #[serde(tag = "type", rename = "tag-of-mine")]
    pub struct TagOfMine {
        mine: bool,
    }

    #[derive(Serialize, Deserialize, Type)]
    #[serde(rename(serialize = "Written", deserialize = "Read"))]
    pub struct Both {
        both: Option<u8>,
    }
}

mod generic {
    use super::{Deserialize, Serialize, Type};

    #[derive(Serialize, Deserialize, Type)]
    pub struct Page<T> {
        items: Vec<T>,
        next: Option<Box<Page<T>>>,
    }

    /// Refers to both halves of a generic type, with several types in its place.
    #[derive(Serialize, Deserialize, Type)]
    pub struct Library {
        of_t: Page<T>,
        of_pages: Option<Page<Page<bool>>>,
    }

    /// Named like the parameter above.
    #[derive(Serialize, Deserialize, Type)]
    pub struct T {
        is_t: bool,
    }
}

mod wide {
    use super::{Deserialize, Serialize, Type};

    #[derive(Serialize, Deserialize, Type)]
    pub struct Größe {
        länge: u32,
    }

    #[derive(Serialize, Deserialize, Type)]
    pub struct Buffer<const N: usize> {
        bytes: Vec<u8>,
        more: Option<bool>,
    }

    /// In its own place, and split.
    #[derive(Serialize, Deserialize, Type)]
    pub struct Tree {
        branches: Vec<Tree>,
        parent: Option<Box<Tree>>,
    }
}

async fn same<T: Serialize>(_: TaskContext, input: T) -> Result<T, Never> {
    Ok(input)
}

async fn fails(_: TaskContext, (): ()) -> Result<ours::Failure, Failure> {
    Err(Failure::new("always"))
}

/// Registers each handler under its name, and names its types.
macro_rules! types {
    ($($name:literal: $handler:expr,)*) => {
        TypeScript::<MockRuntime>::new(&Builder::new()$(.task(Task::new($name, $handler)))*)$(.task($name, $handler))*
    };
}

#[test]
fn the_file_holds_types_of_all_names() {
    types! {
        "a-stage": same::<a::x::Stage>,
        "b-stage": same::<b::x::Stage>,
        "a-tagged": same::<a::x::Tagged>,
        "b-tagged": same::<b::x::Tagged>,
        "stage-serialize": same::<split::Stage_Serialize>,
        "step": same::<split::Step>,
        "not-a-step": same::<split::Step_Deserialize>,
        "language": same::<language::Tasks>,
        "failure": fails,
        "our-never": same::<ours::Never>,
        "spaced": same::<renamed::Spaced>,
        "phase": same::<renamed::Phase>,
        "tag-of-mine": same::<renamed::TagOfMine>,
        "both": same::<renamed::Both>,
        "page": same::<generic::Page<generic::T>>,
        "pages": same::<Vec<generic::Page<Option<generic::Page<generic::Library>>>>>,
        "size": same::<wide::Größe>,
        "buffers": same::<(wide::Buffer<1>, wide::Buffer<2>)>,
        "tree": same::<Box<wide::Tree>>,
        "\"quoted\" \\ name": same::<(String, Option<bool>)>,
    }
    .assert_current("tests/names.gen.ts");
}

#[test]
fn types_that_cannot_be_told_apart_are_refused_with_their_places() {
    mod one {
        #[derive(super::Serialize, super::Deserialize, super::Type)]
        #[serde(rename = "Same")]
        pub struct First {}

        #[derive(super::Serialize, super::Deserialize, super::Type)]
        #[serde(rename = "Same")]
        pub struct Second {}
    }
    let types = types! { "first": same::<one::First>, "second": same::<one::Second>, };
    let problem = types.render().unwrap_err().to_string();
    assert!(problem.contains("names::one::First` (crates/specta/tests/names.rs:"), "{problem}");
    assert!(problem.contains(") and `names::one::Second` (crates/specta/tests/names.rs:"), "{problem}");
    assert!(problem.contains("OneSame` in TypeScript: rename one of them"), "{problem}");
}

#[test]
fn types_in_functions_of_one_module_are_refused() {
    fn first() -> TypeScript<MockRuntime> {
        #[derive(Serialize, Deserialize, Type)]
        struct Stage {}
        second(Builder::new().task(Task::new("first", same::<Stage>)), same::<Stage>)
    }
    fn second<In: Type + Serialize + serde::de::DeserializeOwned + Send + 'static, F>(
        builder: Builder<MockRuntime>,
        first: fn(TaskContext, In) -> F,
    ) -> TypeScript<MockRuntime>
    where
        F: Future<Output = Result<In, Never>> + Send + 'static,
    {
        #[derive(Serialize, Deserialize, Type)]
        struct Stage {}
        TypeScript::new(&builder.task(Task::new("second", same::<Stage>)))
            .task("first", first)
            .task("second", same::<Stage>)
    }
    let problem = first().render().unwrap_err().to_string();
    assert!(problem.contains("first::Stage` and `"), "{problem}");
    assert!(problem.contains("` for one type, since functions of one module define them: rename one"), "{problem}");
}
