//! Measured figures, and how they are shown.

/// One line of the table.
pub struct Figure {
    /// The figure's name in JSON. A figure without a name explains a named one, and is only in the table.
    name: Option<&'static str>,
    what: &'static str,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
}

#[derive(Clone, Copy)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
    Below(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Below(limit) => value < limit,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least}"),
            Self::AtMost(most) => format!("at most {most}"),
            Self::Below(limit) => format!("below {limit}"),
        }
    }
}

impl Figure {
    pub fn new(what: &'static str, value: f64, unit: &'static str) -> Self {
        Self { name: None, what, value, unit, goal: None }
    }

    pub fn named(self, name: &'static str, goal: Option<Goal>) -> Self {
        Self { name: Some(name), goal, ..self }
    }

    fn line(&self) -> String {
        let Self { what, value, unit, goal, .. } = self;
        let goal = goal.map_or_else(String::new, |goal| {
            format!("{:<14} {}", goal.text(), if goal.is_met(*value) { "met" } else { "MISSED" })
        });
        format!("  {what:<64} {value:>12.2} {unit:<6}  {goal}").trim_end().to_owned()
    }
}

pub fn table(part: &str, figures: &[Figure]) -> String {
    let lines: Vec<_> = figures.iter().map(Figure::line).collect();
    format!("{part}\n{}\n", lines.join("\n"))
}

/// Returns `"part": {"name": value, …}`.
pub fn json(part: &str, figures: &[Figure]) -> String {
    let named = figures.iter().filter_map(|figure| figure.name.map(|name| (name, figure.value)));
    let fields: Vec<_> = named.map(|(name, value)| format!("\"{name}\": {value:.2}")).collect();
    format!("\"{part}\": {{{}}}", fields.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> [Figure; 4] {
        let figure = || Figure::new("what", 4.0, "ns");
        let below = figure().named("b", Some(Goal::Below(4.0)));
        let least = figure().named("c", Some(Goal::AtLeast(4.5)));
        [figure(), below, figure().named("a", Some(Goal::AtMost(4.0))), least]
    }

    #[test]
    fn a_goal_is_met_or_missed() {
        let table = table("part", &figures());
        let ends: Vec<_> = table.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert_eq!(ends, ["part", "ns", "MISSED", "met", "MISSED"]);
    }

    #[test]
    fn only_named_figures_are_in_the_json() {
        assert_eq!(json("part", &figures()), r#""part": {"b": 4.00, "a": 4.00, "c": 4.00}"#);
    }
}
