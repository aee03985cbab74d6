//! One way to break the engine, and how it gets into the code.

use anyhow::{Result, ensure};

/// The environment variable with the number of the mutation that a test program runs with.
pub const CHOICE: &str = "MUTATION";

/// One way to break the engine.
pub struct Mutation {
    /// The defect that it introduces.
    pub name: &'static str,
    pub file: &'static str,
    /// A text that the file has exactly once.
    pub find: &'static str,
    /// What is replaced, a part of `find`.
    pub from: &'static str,
    pub to: &'static str,
    pub how: How,
    /// A filter for nextest: at least one of these tests must fail.
    pub seen_by: &'static str,
}

/// What a mutation replaces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Statements.
    Statement,
    /// An expression.
    Expression,
    /// Something that can't be chosen when the program runs, so it needs a build of its own.
    Rebuild,
}

impl Mutation {
    /// Returns `original` with the mutation: as a choice at run time, unless it needs a build of its own.
    pub fn apply(&self, number: usize, original: &str) -> Result<String> {
        let Self { find, from, to, .. } = self;
        let count = original.matches(find).count();
        ensure!(
            count == 1 && find.matches(from).count() == 1,
            "the mutation \"{}\" no longer applies: its text is in {} {count} times, and must be there once",
            self.name,
            self.file
        );
        let mutated = match self.how {
            How::Statement => format!("if crate::mutation({number}) {{ {to} }} else {{ {from} }}"),
            How::Expression => format!("(if crate::mutation({number}) {{ {to} }} else {{ {from} }})"),
            How::Rebuild => (*to).to_owned(),
        };
        Ok(original.replacen(find, &find.replacen(from, &mutated, 1), 1))
    }
}

/// Returns the code that the root of the crate needs for choices at run time.
pub fn chooser() -> String {
    format!(
        r#"
pub(crate) fn mutation(number: usize) -> bool {{
    static CHOICE: std::sync::LazyLock<Option<usize>> =
        std::sync::LazyLock::new(|| std::env::var("{CHOICE}").ok()?.parse().ok());
    *CHOICE == Some(number)
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const MUTATION: Mutation =
        Mutation { name: "n", file: "f", find: "a x", from: "x", to: "y", how: How::Expression, seen_by: "" };

    #[test]
    fn a_mutation_that_no_longer_applies_says_so() {
        for text in ["", "a x a x"] {
            let error = MUTATION.apply(0, text).unwrap_err().to_string();
            assert!(error.contains("\"n\" no longer applies"), "{error}");
        }
    }

    #[test]
    fn a_mutation_is_chosen_at_run_time_unless_it_needs_a_build() {
        assert_eq!(MUTATION.apply(3, "x, a x").unwrap(), "x, a (if crate::mutation(3) { y } else { x })");
        let rebuild = Mutation { how: How::Rebuild, ..MUTATION };
        assert_eq!(rebuild.apply(3, "x, a x").unwrap(), "x, a y");
    }
}
