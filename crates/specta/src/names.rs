//! Gives each type a name of its own in the file.

use std::collections::{BTreeMap, BTreeSet};

/// What can't be the name of a type in TypeScript, or could be read as something else where a type is expected.
const RESERVED: &str = "abstract accessor any as asserts async await bigint boolean break case catch class const constructor \
    continue debugger declare default defer delete do else enum export extends false finally for from function get global \
    globalThis if implements import in infer instanceof interface intrinsic is keyof let module namespace never new null \
    number object of out override package private protected public readonly require return satisfies set static string super \
    switch symbol this throw true try type typeof undefined unique unknown using var void while with yield";
/// What the file itself says: the map, and the types of the language that specta writes.
const IN_USE: &[&str] = &["Tasks", "Exclude", "Partial", "Record", "Uint8Array"];

/// A type that needs a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    pub name: String,
    /// What the file calls it: its name, or one for each form if serde reads and writes it in different forms.
    pub in_file: Vec<String>,
    /// The path of the module that defines it.
    pub module_path: String,
}

/// The types at these places can't have this name.
#[derive(Debug, PartialEq, Eq)]
pub struct Clash {
    pub name: String,
    pub places: Vec<usize>,
}

/// Returns what to put in front of the names of each type, in the same order. It is nothing if no other type has the name and it is free.
/// Otherwise it is the name of the type's module, or of several modules: `download::Stage` becomes `DownloadStage`.
pub fn prefixes(wanted: &[Wanted], is_taken: impl Fn(&str) -> bool) -> Result<Vec<String>, Clash> {
    let mut modules = vec![0; wanted.len()];
    loop {
        let prefixes: Vec<_> = wanted.iter().zip(&modules).map(|(wanted, modules)| wanted.prefix(*modules)).collect();
        // Two types of one name are told apart even if the file has only forms of it.
        let mut places = BTreeMap::<(bool, String), BTreeSet<usize>>::new();
        for (place, (wanted, prefix)) in wanted.iter().zip(&prefixes).enumerate() {
            places.entry((false, format!("{prefix}{}", wanted.name))).or_default().insert(place);
            for name in &wanted.in_file {
                places.entry((true, format!("{prefix}{name}"))).or_default().insert(place);
            }
        }
        let is_free = |(in_file, name): &(bool, String)| !in_file || !(is_reserved(name) || is_taken(name));
        places.retain(|name, places| places.len() > 1 || !is_free(name));
        if places.is_empty() {
            return Ok(prefixes);
        }
        let mut longer = BTreeSet::new();
        for ((_, name), places) in places {
            let may_be_longer = |place: &usize| modules[*place] < wanted[*place].depth();
            let has_modules = |place: &usize| modules[*place] > 0;
            // A type that is called so gives way last.
            let own = places.iter().filter(|place| !has_modules(place)).count();
            let mut here: Vec<_> = places.iter().copied().filter(may_be_longer).collect();
            if own == 1 && here.iter().any(has_modules) {
                here.retain(has_modules);
            }
            if here.is_empty() {
                return Err(Clash { name, places: places.into_iter().collect() });
            }
            longer.extend(here);
        }
        for place in longer {
            modules[place] += 1;
        }
    }
}

/// Whether specta takes it for a name.
pub fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn is_reserved(name: &str) -> bool {
    IN_USE.contains(&name) || RESERVED.split_ascii_whitespace().any(|word| word == name)
}

impl Wanted {
    fn modules(&self) -> impl Iterator<Item = &str> {
        self.module_path.split("::").filter(|module| !module.is_empty())
    }

    fn depth(&self) -> usize {
        self.modules().count()
    }

    /// Returns the names of this many modules, of those closest to the type.
    fn prefix(&self, count: usize) -> String {
        let prefix: String = self.modules().skip(self.depth() - count).map(pascal_case).collect();
        // The module `_2d` would begin it with a digit.
        if prefix.is_empty() || is_identifier(&prefix) { prefix } else { format!("_{prefix}") }
    }
}

fn pascal_case(snake_case: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    snake_case.trim_start_matches("r#").split('_').map(capital).collect()
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    fn wanted(path: &str) -> Wanted {
        let (module_path, name) = path.rsplit_once("::").unwrap_or(("", path));
        Wanted { name: name.to_owned(), in_file: vec![name.to_owned()], module_path: module_path.to_owned() }
    }

    /// Returns the names of types that have one each.
    fn chosen(paths: &[&str]) -> Result<Vec<String>, Clash> {
        let wanted: Vec<_> = paths.iter().map(|path| wanted(path)).collect();
        let prefixes = prefixes(&wanted, |_| false)?;
        Ok(prefixes.into_iter().zip(&wanted).map(|(prefix, wanted)| prefix + &wanted.name).collect())
    }

    #[test]
    fn a_name_that_nothing_else_has_is_kept() {
        assert_eq!(chosen(&["app::a::Stage", "app::a::Error", "app::Date"]).unwrap(), ["Stage", "Error", "Date"]);
    }

    #[test]
    fn types_of_one_name_are_told_apart_by_as_many_modules_as_it_takes() {
        assert_eq!(chosen(&["app::a::Stage", "app::b_c::Stage"]).unwrap(), ["AStage", "BCStage"]);
        assert_eq!(chosen(&["app::a::x::Stage", "app::b::x::Stage"]).unwrap(), ["AXStage", "BXStage"]);
        assert_eq!(chosen(&["one::x::Stage", "two::x::Stage", "Stage"]).unwrap(), ["OneXStage", "TwoXStage", "Stage"]);
        // The new name of one would be the old name of another, which keeps it.
        let names = chosen(&["app::a::Stage", "app::b::Stage", "app::AStage"]).unwrap();
        assert_eq!(names, ["AppAStage", "BStage", "AStage"]);
    }

    #[test]
    fn a_name_of_typescript_or_of_the_file_gets_the_module_in_front() {
        let names = ["Tasks", "Uint8Array", "Partial", "never", "unknown", "undefined", "type", "keyof", "await"];
        for name in names {
            assert_eq!(chosen(&[&format!("app::jobs::{name}")]).unwrap(), [format!("Jobs{name}")]);
        }
        assert_eq!(chosen(&["_2d::Tasks"]).unwrap(), ["_2dTasks"]);
        assert_eq!(chosen(&["app::r#type::Tasks"]).unwrap(), ["TypeTasks"]);
    }

    #[test]
    fn a_name_that_is_taken_by_something_else_gets_the_module_in_front() {
        assert_eq!(prefixes(&[wanted("app::T")], |name| name == "T").unwrap(), ["App"]);
    }

    #[test]
    fn types_that_nothing_tells_apart_are_refused_together() {
        let clash = chosen(&["app::a::Stage", "app::Other", "app::a::Stage"]).unwrap_err();
        assert_eq!(clash, Clash { name: "AppAStage".into(), places: vec![0, 2] });
        assert_eq!(chosen(&["Tasks"]).unwrap_err(), Clash { name: "Tasks".into(), places: vec![0] });
    }

    #[test]
    fn all_names_of_a_type_get_the_same_prefix() {
        let in_file = ["Stage_Serialize", "Stage_Deserialize"].map(String::from).to_vec();
        let split = Wanted { in_file, ..wanted("app::a::Stage") };
        for other in ["app::b::Stage", "app::b::Stage_Serialize"] {
            assert_eq!(prefixes(&[split.clone(), wanted(other)], |_| false).unwrap(), ["A", "B"]);
        }
        let also_split =
            Wanted { in_file: vec!["Stage_Serialize_Serialize".into()], ..wanted("app::a::Stage_Serialize") };
        assert_eq!(
            prefixes(&[Wanted { in_file: vec!["Stage".into()], ..split }, also_split], |_| false).unwrap(),
            ["", ""]
        );
    }

    /// Few words, so that names and modules meet often.
    fn types() -> impl Strategy<Value = Vec<Wanted>> {
        let word = || prop::sample::select(vec!["a", "b", "a_b", "ab", "x", "_1"]);
        let name =
            || prop::sample::select(vec!["A", "B", "AB", "X", "AX", "Tasks", "never", "A_Serialize", "Partial", "T"]);
        let path = || (collection::vec(word(), 0..4), name());
        collection::btree_map(path(), any::<bool>(), 0..20).prop_map(|types| {
            let wanted = |((modules, name), is_split): ((Vec<_>, &str), bool)| {
                let suffixes = if is_split { vec!["_Serialize", "_Deserialize"] } else { vec![""] };
                let in_file = suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect();
                Wanted { name: name.to_owned(), in_file, module_path: modules.join("::") }
            };
            types.into_iter().map(wanted).collect()
        })
    }

    proptest! {
        #[test]
        fn no_two_types_get_one_name(types in types(), seed in any::<usize>()) {
            let is_free = |name: &str| !is_reserved(name) && name != "T" && is_identifier(name);
            let full = |wanted: &Wanted, prefix: &str| -> Vec<String> {
                wanted.in_file.iter().map(|name| format!("{prefix}{name}")).collect()
            };
            match prefixes(&types, |name| name == "T") {
                Ok(prefixes) => {
                    let names: Vec<_> = types.iter().zip(&prefixes).flat_map(|(wanted, prefix)| full(wanted, prefix)).collect();
                    prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{:?}", names);
                    prop_assert!(names.iter().all(|name| is_free(name)), "{:?}", names);
                }
                // Only what modules can't tell apart is refused.
                Err(clash) => {
                    for place in &clash.places {
                        let wanted = &types[*place];
                        let prefix = wanted.prefix(wanted.depth());
                        let name = format!("{prefix}{}", wanted.name);
                        prop_assert!(name == clash.name || full(wanted, &prefix).contains(&clash.name), "{:?}", clash);
                    }
                    prop_assert!(clash.places.len() > 1 || !is_free(&clash.name), "{:?}", clash);
                }
            }
            // The order in which the types are met makes no difference.
            let mut turned = types.clone();
            turned.rotate_left(if types.is_empty() { 0 } else { seed % types.len() });
            let by_type = |types: &[Wanted]| {
                let prefixes = prefixes(types, |name| name == "T").ok()?;
                Some(types.iter().cloned().zip(prefixes).collect::<BTreeMap<_, _>>())
            };
            prop_assert_eq!(by_type(&types), by_type(&turned));
        }
    }
}
